#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# The tests of tools/kernels.sh, run inside a guest. Prints one line a test;
# exits with 0 when there were tests and all passed. No times are asserted:
# the guest is emulated.
#
#   /vm/features  what this kernel must have, and nothing else
#   /vm/line      the line of leaker.c that leaks
set -u
LINKS="session multi perf"
KERNEL_LACKS_SOMETHING=8 # src/cli/exit_codes.h
WAIT_SECONDS=120

passed=0
failed=0
work=/tmp/none
has() { grep -qx -- "$1" /vm/features; }

# verdict NAME [FILE...]: counts a test as passed when $problem is empty, else
# shows the problem and the files.
verdict() {
	name=$1
	shift
	if [ -z "$problem" ]; then
		passed=$((passed + 1))
		echo "ok $name"
		return
	fi
	failed=$((failed + 1))
	echo "FAIL $name: $problem"
	for file in "$@"; do
		[ -s "$file" ] && sed "s|^|  ${file##*/}: |" "$file" | tail -n 40
	done
}

# Adds to $problem what is wrong, keeping what was found before.
wrong() { problem="${problem:+$problem; }$*"; }

# await FILE PATTERN [FILE]: until FILE matches; no longer when the other exists.
await() {
	tenths=$((WAIT_SECONDS * 10))
	until grep -q -- "$2" "$1" 2>/dev/null; do
		tenths=$((tenths - 1))
		[ "$tenths" -gt 0 ] && [ ! -e "${3:-/none}" ] || return 1
		sleep 0.1
	done
}

# ---- A target and its tracer, both in the background ---------------------------

# start_target PROGRAM [ARGS...]: until it is ready to be traced.
start_target() {
	work=$(mktemp -d /tmp/case.XXXXXX)
	problem=
	mkfifo "$work/input"
	exec 3<>"$work/input"
	"$@" <"$work/input" >"$work/truth" 2>"$work/complaints" 3>&- &
	target=$!
	await "$work/truth" ready || wrong "the target does not start"
}

tell_target() { echo >&3; }

# Lets it run to its end: it must not have noticed that it was traced.
end_target() {
	tell_target
	tell_target
	tenths=$((WAIT_SECONDS * 10))
	while [ -d "/proc/$target/fd" ] &&
		grep -q '^State:.[^Z]' "/proc/$target/status" 2>/dev/null &&
		[ "$tenths" -gt 0 ]; do
		tenths=$((tenths - 1))
		sleep 0.1
	done
	[ "$tenths" -gt 0 ] || {
		wrong "the target hangs"
		kill -KILL "$target"
	}
	wait "$target"
	code=$?
	[ "$code" = 0 ] || wrong "the target ended with $code"
	exec 3>&-
}

# start_tracer [OPTIONS...]: until it has attached. $tracer_command: what it does.
tracer_command=
start_tracer() {
	{
		# shellcheck disable=SC2086
		sh -c 'echo $$ >"$0/pid"; exec leakbpf "$@"' "$work" \
			$tracer_command -p "$target" --folded "$work/folded" -n 0 "$@" \
			>"$work/report" 2>"$work/messages" 3>&-
		echo $? >"$work/code"
	} &
	await "$work/messages" 'tracing process' "$work/code" ||
		wrong "it does not attach"
}

# SIGTERM must give a final report and take every probe out.
stop_tracer() {
	kill -TERM "$(cat "$work/pid")" 2>/dev/null || wrong "it has ended before"
	await "$work/code" . || {
		wrong "it does not end at SIGTERM"
		kill -KILL "$(cat "$work/pid")"
		return
	}
	code=$(cat "$work/code")
	[ "$code" = 0 ] || wrong "it ended with $code"
}

compare_with_truth() {
	awk -v tolerance="$1" -f /vm/truth.awk "$work/truth" "$work/folded" \
		>"$work/differences" || wrong "not the true stacks and bytes"
}

show() {
	verdict "$1" "$work/complaints" "$work/messages" "$work/report" \
		"$work/differences" "$work/truth" "$work/folded"
	rm -rf "$work"
}

# ---- Tests ------------------------------------------------------------------------

test_features() {
	problem=
	features -v >/tmp/seen 2>/tmp/notes || wrong "it failed"
	sort /tmp/seen >/tmp/features
	cmp -s /tmp/features /vm/features ||
		wrong "expected $(tr '\n' ' ' </vm/features), seen $(tr '\n' ' ' </tmp/features)"
	verdict "the features found are those the kernel is known to have" /tmp/notes
}

# test_exact NAME TARGET TRACER-OPTIONS...
test_exact() {
	name=$1
	program=$2
	shift 2
	# shellcheck disable=SC2086
	start_target $program
	# Every call, however long emulated processors take for a probe.
	start_tracer --sample-bytes 0 --max-overhead 0 "$@"
	tell_target
	await "$work/truth" 'leaked\|truth' || wrong "the target does not get on"
	stop_tracer
	end_target
	compare_with_truth 0
	case $program in
	*leaker*)
		grep -q "in keep_session() at .*leaker\.c:$(cat /vm/line)\$" \
			"$work/report" || wrong "the report does not name the line"
		;;
	esac
	show "$name"
}

# A service has given up most privileges when it attaches.
test_service() {
	start_target /targets/leaker.dynamic 10 100
	tracer_command=serve
	start_tracer --sample-bytes 0 --listen unix:/tmp/serve.sock -v
	tracer_command=
	admin=absent
	[ "$(best_link)" = perf ] && admin=present
	kept=$(sed -n 's/.*privileges kept: \(.*\);.*/\1/p' "$work/messages")
	case $kept/$admin in
	*CAP_BPF*CAP_SYS_ADMIN*/present) ;;
	*CAP_SYS_ADMIN*/absent | */present) wrong "it keeps $kept" ;;
	*CAP_BPF*/absent) ;;
	*) wrong "it keeps $kept" ;;
	esac
	tell_target
	await "$work/truth" leaked || wrong "the target does not get on"
	stop_tracer
	end_target
	compare_with_truth 0
	show "a service attaches with few privileges"
}

# A tracer that is killed leaves no probe behind, either: the target looks.
test_killed() {
	start_target /targets/leaker.dynamic 10 100
	start_tracer "$1"
	tell_target
	await "$work/truth" leaked || wrong "the target does not get on"
	kill -KILL "$(cat "$work/pid")"
	await "$work/code" . || wrong "it survives"
	end_target
	show "${1#--link=}: killed, it leaves nothing behind"
}

# What the kernel says of itself: a program of ours must not make it complain.
test_kernel_log() {
	problem=
	dmesg | grep -E 'BUG:|WARNING:|Oops|Kernel panic|general protection|stalls? on' \
		>/tmp/kernel-log && wrong "it complains"
	verdict "the kernel log is clean" /tmp/kernel-log
}

# The best kind of link that the kernel has.
best_link() {
	for kind in $LINKS; do
		has "$kind" && echo "$kind" && return
	done
}

# Sampled by default; the estimate may be off by six standard deviations.
test_default() {
	start_target /targets/leaker.static 20000 5000
	# On emulated processors probes cost more than the default budget.
	start_tracer --max-overhead 0
	tell_target
	await "$work/truth" leaked || wrong "the target does not get on"
	stop_tracer
	end_target
	compare_with_truth 0.5
	grep -q "in keep_session() at .*leaker\.c:$(cat /vm/line)\$" \
		"$work/report" || wrong "the report does not name the line"
	grep -q "^  probes  *$(best_link):" "$work/report" ||
		wrong "the links are not $(best_link)"
	show "default sampling: the leak is named and its size is estimated"
}

# test_refused NAME PATTERN TRACER-OPTIONS...: one clear line and an exit code
# of its own; nothing happens to the target.
test_refused() {
	name=$1
	pattern=$2
	shift 2
	start_target /targets/functions
	leakbpf -p "$target" -d 1 "$@" >"$work/report" 2>"$work/messages"
	code=$?
	[ "$code" = "$KERNEL_LACKS_SOMETHING" ] ||
		wrong "exit code $code, not $KERNEL_LACKS_SOMETHING"
	[ "$(grep -c . "$work/messages")" = 1 ] || wrong "not one line"
	grep -q -- "$pattern" "$work/messages" || wrong "'$pattern' is not named"
	[ ! -s "$work/report" ] || wrong "there is a report"
	end_target
	show "$name"
}

test_link() {
	link=--link=$1
	test_exact "$1: static program, line and every byte" \
		"/targets/leaker.static 300 1234" "$link"
	test_exact "$1: dynamic program, line and every byte" \
		"/targets/leaker.dynamic 300 1234" "$link"
	test_exact "$1: each allocation function" /targets/functions "$link"
	test_exact "$1: each allocation function, static" \
		/targets/functions.static "$link"
	test_exact "$1: functions that allocate for their caller" \
		/targets/callers "$link"
	test_exact "$1: blocks handed from thread to thread" \
		"/targets/threads.static handover" "$link"
	test_exact "$1: children" /targets/forks.static "$link"
	test_exact "$1: jumps and thread ends out of allocators" \
		/targets/escape "$link"
	test_exact "$1: C++ exceptions out of allocators" \
		"/targets/cxx.static exceptions" "$link"
	test_killed "$link"
}

# Without probes; from the kernel that tells of every page (docs/growth.md).
test_growth() {
	if has multi; then
		test_exact "growth: every page" /targets/growth.static --growth
		return
	fi
	start_target /targets/growth.static
	leakbpf -p "$target" --growth >"$work/report" 2>"$work/messages" &&
		wrong "it is not refused"
	grep -q 'Linux 6.2' "$work/messages" || wrong "the reason is not told"
	end_target
	show "growth: refused, naming what is missing"
}

test_features
if ! has cookie; then
	test_refused "refused, naming what is missing" "BPF cookies"
else
	for kind in $LINKS; do
		if has "$kind"; then
			test_link "$kind"
		else
			test_refused "$kind: refused when forced" \
				"--link=$kind" "--link=$kind"
		fi
	done
	test_default
	test_growth
	test_service
fi
test_kernel_log
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
