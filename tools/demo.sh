#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Shows leakbpf at work: installs what the build needs, builds, starts a
# leaking server, attaches to it while it runs and prints what leaks.
# Exits with 0 only when the report names the function and line at fault.
set -eu
cd "$(dirname "$0")/.."

SECONDS_TRACED=40
SOURCE=tools/demo/leaky_server.c
FUNCTION=session_remember

server=
work=$(mktemp -d)
cleanup() {
	if [ -n "$server" ]; then
		kill -TERM "$server" 2>/dev/null || :
		wait "$server" 2>/dev/null || :
	fi
	rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
say() { printf '\n--- %s\n' "$*"; }

[ "$(id -u)" = 0 ] || {
	echo "demo.sh: run as root: eBPF needs it" >&2
	exit 1
}
say "set-up and build"
tools/setup.sh build
make --no-print-directory -s -j"$(getconf _NPROCESSORS_ONLN)"

say "a server that leaks, without frame pointers"
mkdir -p build/demo
gcc -O2 -g -fomit-frame-pointer -Wall -Wextra -Werror \
	-o build/demo/leaky_server "$SOURCE"
: >"$work/server"
build/demo/leaky_server >"$work/server" &
server=$!
tries=0
until grep -q serving "$work/server"; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] || {
		echo "demo.sh: the server does not start" >&2
		exit 1
	}
	sleep 0.05
done

say "leakbpf -p $server -d $SECONDS_TRACED   ($SECONDS_TRACED seconds)"
status=0
timeout -k 5 60 build/leakbpf -p "$server" -d "$SECONDS_TRACED" \
	-i "$SECONDS_TRACED" -n 3 >"$work/report" || status=$?
cat "$work/report"
[ "$status" = 0 ] || {
	echo "demo.sh: leakbpf failed with exit code $status" >&2
	exit 1
}

# The line that allocates in the guilty function, found in the source, so that
# an edit of the source cannot make this check lie.
line=$(grep -n 'never freed' "$SOURCE" | cut -d: -f1)
top=$(sed -n '/^#1 /{n;p;}' "$work/report")
if [ "$top" != "    in $FUNCTION() at $SOURCE:$line" ]; then
	echo "demo.sh: the top entry does not name $FUNCTION at $SOURCE:$line" >&2
	exit 1
fi
grep -q "^LEAK .* in $FUNCTION() at $SOURCE:$line" "$work/report" || {
	echo "demo.sh: the headline does not name the leak" >&2
	exit 1
}
kill -0 "$server" 2>/dev/null || {
	echo "demo.sh: the server did not survive" >&2
	exit 1
}
say "found: $FUNCTION leaks, $SOURCE:$line; the server never stopped"
