# SPDX-License-Identifier: GPL-2.0-only
# Completion of leakbpf for bash. A test compares the options with the program.

_leakbpf_pids()
{
	local proc pid
	for proc in /proc/[0-9]*; do
		pid=${proc#/proc/}
		[[ -e $proc/exe ]] && COMPREPLY+=("$pid")
	done
	mapfile -t COMPREPLY < <(compgen -W "${COMPREPLY[*]}" -- "$1")
}

_leakbpf()
{
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
	local commands="record report diff top serve"
	local files="--folded --pprof --json --svg --html"
	local reading="--top --older --debuginfod --quiet --verbose --help $files"
	local tracing="--pid --container --pod --cgroup --comm --all --command --interval --duration --min-size
		--max-size --sample-bytes --max-memory --max-overhead --mmap --growth --no-growth --no-samplers --no-v8 --no-source-maps --v8-survived --explain
		--metrics --version --log-level $reading"
	local serving="--listen --token-file --config --pid-file --state-dir"

	COMPREPLY=()
	# --folded=FILE comes as three words.
	if [[ $word == "=" ]]; then
		word=
	elif [[ $before == "=" ]]; then
		before=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case $before in
	-p | --pid)
		_leakbpf_pids "$word"
		return
		;;
	--cgroup)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--comm)
		mapfile -t COMPREPLY < <(compgen -W "$(cat /proc/[0-9]*/comm 2>/dev/null)" -- "$word")
		return
		;;
	-o | --output | --folded | --pprof | --json | --svg | --html | \
		--metrics | --token-file | --config | --pid-file)
		mapfile -t COMPREPLY < <(compgen -f -- "$word")
		return
		;;
	--state-dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$word")
		return
		;;
	--log-level)
		mapfile -t COMPREPLY < <(compgen -W "error warn info debug" -- "$word")
		return
		;;
	-c | --command)
		mapfile -t COMPREPLY < <(compgen -c -- "$word")
		return
		;;
	-[idn] | --interval | --duration | --top | --older | --min-size | \
		--max-size | --sample-bytes | --max-memory | --max-overhead | --listen | --container | --pod)
		return
		;;
	esac
	case ${COMP_WORDS[1]} in
	report | diff)
		if [[ $word == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$reading" -- "$word")
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
		fi
		return
		;;
	record) tracing+=" --output" ;;
	serve) tracing+=" $serving" ;;
	esac
	if [[ $COMP_CWORD == 1 && $word != -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word")
	else
		mapfile -t COMPREPLY < <(compgen -W "$tracing" -- "$word")
	fi
}
complete -o filenames -F _leakbpf leakbpf
