#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Everything that can be checked on one machine: set-up, build, unit tests,
# end-to-end tests on real processes, and that nothing is left behind.
#
#   tools/check.sh             all
#   tools/check.sh -k WORDS    end-to-end tests that match (pytest's -k)
#
# The last line says `N passed, N failed`; the exit code is 0 only when nothing
# failed. It takes about 14 minutes, set-up included, and never more than 17.
set -eu
cd "$(dirname "$0")/.."

# What may take how long: one unit test, all tests.
UNIT_SECONDS=60
ALL_SECONDS=960

started=$(date +%s)
# Seconds left for the tests, at least 1 and at most $1.
left() {
	n=$((ALL_SECONDS - $(date +%s) + started))
	[ "$n" -le "$1" ] || n=$1
	[ "$n" -ge 1 ] || n=1
	echo "$n"
}

passed=0
failed=0
skipped=0
work=$(mktemp -d)
# The tests' temporary files, which must be gone afterwards. Others may enter:
# some tests run leakbpf without privileges.
chmod 755 "$work"
mkdir "$work/tmp"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
say() { printf '\n== %s\n' "$*"; }
fail() {
	printf 'FAILED: %s\n' "$*"
	failed=$((failed + 1))
}
finish() {
	printf '\n'
	if [ "$skipped" -gt 0 ]; then
		printf '%d passed, %d failed, %d skipped\n' \
			"$passed" "$failed" "$skipped"
	else
		printf '%d passed, %d failed\n' "$passed" "$failed"
	fi
	[ "$failed" = 0 ] || exit 1
	exit 0
}

[ "$(id -u)" = 0 ] || {
	echo "check.sh: run as root: the tests attach eBPF programs" >&2
	exit 1
}

say "set-up"
tools/setup.sh test

say "build"
jobs=$(getconf _NPROCESSORS_ONLN)
# The unit tests are built here, too: their time limit is for running.
# shellcheck disable=SC2046
if ! make --no-print-directory -s -j"$jobs" all \
	$(for t in tests/unit/*_test.c; do
		printf 'build/tests/unit/%s ' "$(basename "$t" .c)"
	done) >"$work/build" 2>&1; then
	cat "$work/build"
	fail "build"
	finish
fi

# cmocka: "[  PASSED  ] 5 test(s)." and the same with FAILED and SKIPPED.
count_of() {
	sed -n "s/^\[ *$1 *\] \([0-9][0-9]*\) test(s).*/\1/p" "$work/out" |
		awk '{ n += $1 } END { print n + 0 }'
}
run_unit() {
	name=$(basename "$1")
	code=0
	TMPDIR=$work/tmp timeout -k 5 "$(left "$UNIT_SECONDS")" "$1" >"$work/out" 2>&1 </dev/null ||
		code=$?
	good=$(count_of PASSED)
	bad=$(count_of FAILED)
	passed=$((passed + good))
	failed=$((failed + bad))
	skipped=$((skipped + $(count_of SKIPPED)))
	[ "$code" = 0 ] && [ "$good" -gt 0 ] && {
		printf '%-28s %d passed\n' "$name" "$good"
		sed -n 's/^\[  SKIPPED \] \([a-z].*\)/    skipped: \1/p' "$work/out"
		return
	}
	cat "$work/out"
	# Crashed, timed out or empty: no test says so itself.
	[ "$bad" -gt 0 ] || fail "$name ended with exit code $code"
}

case ${1:-} in
-k) ;;
*)
	say "unit tests"
	for t in tests/unit/*_test.c; do
		run_unit "build/tests/unit/$(basename "$t" .c)"
	done
	;;
esac

# Three sets side by side, each with a report of its own, of about the same length:
# Node.js, what mostly waits for load to have its effect, and the others.
NODE_TESTS="tests/e2e/test_node_cases.py tests/e2e/test_node_heap.py
	tests/e2e/test_node_native.py tests/e2e/test_js_frames.py
	tests/e2e/test_v8_heap.py tests/e2e/test_large_blocks.py"
WAITING_TESTS="tests/e2e/test_verdicts.py tests/e2e/test_serve.py
	tests/e2e/test_service.py tests/e2e/test_top.py tests/e2e/test_go.py
	tests/e2e/test_following.py tests/e2e/test_growth.py
	tests/e2e/test_budget.py tests/e2e/test_packaging.py
	tests/e2e/test_debuginfod.py tests/e2e/test_soak.py
	tests/e2e/test_source_maps.py"
ignored=
for t in $NODE_TESTS $WAITING_TESTS; do
	ignored="$ignored --ignore=$t"
done

run_end_to_end() { # SET ARGUMENTS...
	set_name=$1
	shift
	code=0
	TMPDIR=$work/tmp timeout -k 20 "$(left "$ALL_SECONDS")" \
		/usr/bin/python3 -B -m pytest -q --basetemp="$work/pytest-$set_name" \
		--junitxml="$work/$set_name.xml" -o junit_logging=no "$@" \
		>"$work/$set_name.out" 2>&1 </dev/null || code=$?
	echo "$code" >"$work/$set_name.code"
}
attribute() { # SET NAME
	sed -n "s/.*<testsuite [^>]*$2=\"\([0-9]*\)\".*/\1/p" "$work/$1.xml" |
		head -n 1
}
count_end_to_end() { # SET
	cat "$work/$1.out"
	code=$(cat "$work/$1.code")
	# 5: no test matched -k.
	[ "$code" != 5 ] || return 0
	if [ "$code" -gt 1 ] || [ ! -s "$work/$1.xml" ]; then
		fail "end-to-end tests ($1) ended with exit code $code (124: took too long)"
		return 0
	fi
	bad=$(($(attribute "$1" failures) + $(attribute "$1" errors)))
	left_out=$(attribute "$1" skipped)
	passed=$((passed + $(attribute "$1" tests) - bad - left_out))
	failed=$((failed + bad))
	skipped=$((skipped + left_out))
}

say "end-to-end tests"
make --no-print-directory -s -j"$jobs" -C tests/targets
# shellcheck disable=SC2086
run_end_to_end node $NODE_TESTS "$@" &
# shellcheck disable=SC2086
run_end_to_end waiting $WAITING_TESTS "$@" &
# shellcheck disable=SC2086
run_end_to_end other $ignored tests/e2e "$@"
wait
count_end_to_end other
count_end_to_end waiting
count_end_to_end node

say "nothing left behind"
if timeout 180 /usr/bin/python3 -B tests/e2e/leftovers.py build \
	"$work/tmp"; then
	passed=$((passed + 1))
else
	fail "something is left behind"
fi
finish
