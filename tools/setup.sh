#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Installs what leakbpf needs from Debian 12's own packages (and for the tests of
# Node.js from npm, tools/setup-node.sh):
#
#   tools/setup.sh build   to build the binary
#   tools/setup.sh test    the above, and what the tests trace and use
#   tools/setup.sh lint    the above, and the checkers of `make lint`
#   tools/setup.sh healthy to build, and to run tools/healthy.py
#   tools/setup.sh vm      to build, and to run other kernels (docs/kernels.md)
#
# Quick and silent when everything is already there; then neither root nor a
# network is needed.
set -eu

BUILD="gcc make clang llvm libbpf-dev bpftool libelf-dev libdw-dev zlib1g-dev
	liblzma-dev libbz2-dev libcapstone-dev libiberty-dev libncurses-dev libevent-dev
	libjson-c-dev libinih-dev libcap-ng-dev
	linux-libc-dev libc6-dev dpkg-dev"
TEST="g++ gdb crun libcmocka-dev python3 python3-pytest python3-pytest-timeout python3-pyte python3-yaml
	redis-server redis-tools nginx-light musl-tools libjemalloc-dev
	systemtap-sdt-dev
	libjemalloc2 libgoogle-perftools-dev libtcmalloc-minimal4
	libmimalloc-dev libmimalloc2.0 rustc util-linux procps prometheus golang-go
	python3-jsonschema libdevel-nytprof-perl debuginfod dwz chromium libxml2-utils ca-certificates openssl wrk nodejs npm"
VM="g++ qemu-system-x86 busybox-static cpio"
HEALTHY="python3 redis-server redis-tools nginx-light nodejs sqlite3 git perl
	postgresql postgresql-contrib memcached lua5.4 php-cli ruby lighttpd haproxy
	dnsmasq-base mosquitto gawk tcl jq bc apache2-bin
	default-jre-headless"
LINT="clang-tidy clang-format cppcheck"

fail() {
	echo "setup.sh: $*" >&2
	exit 1
}

case ${1:-build} in
build) wanted="$BUILD" ;;
test) wanted="$BUILD $TEST" ;;
lint) wanted="$BUILD $TEST $LINT" ;;
healthy) wanted="$BUILD $HEALTHY" ;;
vm) wanted="$BUILD $VM" ;;
*) fail "usage: setup.sh [build|test|lint|healthy|vm]" ;;
esac

command -v dpkg-query >/dev/null 2>&1 ||
	fail "this is no Debian system; install by hand what is like: $wanted"

# Last of all: other packages, which only tests need.
finish() {
	case $wanted in
	*"$TEST"*) exec "$(dirname "$0")/setup-node.sh" ;;
	esac
	exit 0
}

missing=
for package in $wanted; do
	# Node from elsewhere brings its own npm, and excludes Debian's.
	[ "$package" != npm ] || ! command -v npm >/dev/null || continue
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) ||
		status=
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || finish

[ "$(id -u)" = 0 ] || fail "run as root to install:$missing"

# Services that packages bring (redis, nginx) must not start: the official
# switch for that is a policy-rc.d that answers 101, "not allowed".
policy=/usr/sbin/policy-rc.d
placed=
log=$(mktemp)
cleanup() {
	rm -f "$log"
	[ -z "$placed" ] || rm -f "$policy"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
if [ ! -e "$policy" ]; then
	placed=1
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt_get() {
	apt-get -q -o Acquire::Retries=3 -o DPkg::Lock::Timeout=120 "$@" \
		>"$log" 2>&1 </dev/null
}

echo "setup.sh: installing:$missing" >&2
apt_get update || {
	tail -n 5 "$log" >&2
	fail "cannot fetch the package lists; is there a network, and are there sources for Debian 12 in /etc/apt?"
}
# shellcheck disable=SC2086
apt_get install -y --no-install-recommends $missing || {
	tail -n 15 "$log" >&2
	fail "cannot install:$missing"
}
cleanup
finish
