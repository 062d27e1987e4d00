#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Boots Debian's kernels under QEMU and runs leakbpf on each (docs/kernels.md):
#
#   tools/kernels.sh [VERSION...]    e.g. 6.1 6.12; default: one of each kind
#
# Kernels are downloaded into .cache/kernels and never installed; the system's
# own package sources and lists are neither used nor changed. Everything is
# built here and only run in the guest. Exits with 0 when all guests passed.
set -eu
cd "$(dirname "$0")/.."

DEFAULT_VERSIONS="5.10 6.1 6.12 6.17 6.18 7.2"
CACHE=$PWD/.cache/kernels
BUILD=$PWD/build
WORK=$BUILD/vm
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg
MIRROR=${KERNELS_MIRROR:-http://deb.debian.org}
# TCG needs neither hardware nor privileges; "kvm" is faster where there is one.
ACCEL=${KERNELS_ACCEL:-tcg,thread=multi}
GUEST_SECONDS=${KERNELS_SECONDS:-300}

# What each kernel is known to have, as tests/vm/features.c names it. A guest
# fails when it has less, and when it has more: then this table is out of date.
expected_features() {
	base="bpf btf ring-buffer perf"
	case $1 in
	5.10) echo "$base" ;;
	6.1) echo "$base cookie" ;;
	6.12) echo "$base cookie multi" ;;
	6.1[6-9] | 7.[0-2]) echo "$base cookie multi session" ;;
	*) return 1 ;;
	esac
}

fail() {
	echo "kernels.sh: $*" >&2
	exit 1
}

# ---- Kernels ------------------------------------------------------------------

# apt with sources, lists and caches of its own.
apt_private() {
	command=$1
	shift
	"$command" -q -o Dir::Etc::SourceList="$CACHE/apt/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::State::Lists="$CACHE/apt/lists" \
		-o Dir::Cache="$CACHE/apt" \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o APT::Sandbox::User=root \
		-o APT::Update::Post-Invoke-Success::= "$@"
}

# The lists change daily, and old kernels vanish with them.
fetch_lists() {
	stamp=$CACHE/apt/stamp
	[ -z "$(find "$stamp" -mtime -1 2>/dev/null)" ] || return 0
	mkdir -p "$CACHE/apt/lists/partial" "$CACHE/apt/archives/partial"
	for suite in debian-security:bullseye-security debian:bookworm \
		debian-security:bookworm-security debian:trixie \
		debian-security:trixie-security debian:trixie-backports \
		debian:sid; do
		echo "deb [signed-by=$KEYRING] $MIRROR/${suite%:*} ${suite#*:} main"
	done >"$CACHE/apt/sources.list"
	if apt_private apt-get update >"$CACHE/apt/log" 2>&1; then
		touch "$stamp"
	else
		echo "kernels.sh: cannot fetch package lists, using what is cached" >&2
	fi
}

# The newest package of a series. The kernel image is in linux-image-*, from
# 6.19 on in linux-binary-* (then linux-image-* is empty).
newest_package() {
	pattern="^linux-KIND-$(echo "$1" | sed 's/\./\\./g')\.[^ ]*-cloud-amd64$"
	for kind in binary image; do
		{
			apt_private apt-cache pkgnames 2>/dev/null
			ls "$CACHE"
		} | grep -- "$(echo "$pattern" | sed "s/KIND/$kind/")" |
			sort -V | tail -n 1 | grep . && return
	done
	return 1
}

fetch_kernel() {
	package=$1
	[ ! -f "$CACHE/$package/vmlinuz" ] || return 0
	rm -rf "$CACHE/new"
	mkdir -p "$CACHE/new"
	(
		cd "$CACHE/new"
		apt_private apt-get download "$package" >log 2>&1 || {
			tail -n 3 log >&2
			exit 1
		}
		# The kernel image only: what the guest needs is built into it.
		dpkg-deb --fsys-tarfile ./*.deb |
			tar -x --wildcards -O './*/vmlinuz*' >vmlinuz
		[ -s vmlinuz ]
	) || return 1
	mkdir -p "$CACHE/$package"
	mv "$CACHE/new/vmlinuz" "$CACHE/$package/vmlinuz"
	rm -rf "$CACHE/new"
}

# ---- What runs in the guest ---------------------------------------------------

# A program's shared objects, where it looks for them.
copy_libraries() {
	ldd "$1" | grep -o '/[^ ]*' | while read -r library; do
		mkdir -p "$2$(dirname "$library")"
		cp -L "$library" "$2$library"
	done
}

build_guest() {
	make --no-print-directory -s -j"$(getconf _NPROCESSORS_ONLN)"
	rm -rf "$WORK"
	mkdir -p "$WORK/root/bin" "$WORK/root/vm" "$WORK/root/targets"
	gcc -D_GNU_SOURCE -std=c11 -Wall -Wextra -Werror -O2 -Iinclude -Isrc -static \
		-o "$WORK/root/bin/features" tests/vm/features.c \
		build/libleakbpf.a -lbpf -ldw -lelf -lz -llzma -lbz2 -lpthread
	targets="functions functions.static growth.static threads.static forks.static callers
		escape cxx.static"
	for linking in static dynamic; do
		flags=
		[ $linking = dynamic ] || flags=-static
		# shellcheck disable=SC2086
		gcc -D_GNU_SOURCE -O2 -g -fomit-frame-pointer -Wall -Wextra -Werror \
			-fno-builtin-malloc -Itests/targets $flags \
			-o "$WORK/root/targets/leaker.$linking" \
			tests/vm/leaker.c tests/targets/target.c
	done
	for target in $targets; do
		make --no-print-directory -s -C tests/targets \
			OUT="$BUILD/targets" "$BUILD/targets/$target"
		cp "$BUILD/targets/$target" "$WORK/root/targets/"
	done
	copy_libraries "$WORK/root/targets/leaker.dynamic" "$WORK/root"
	cp /bin/busybox build/leakbpf "$WORK/root/bin/"
	cp tests/vm/guest.sh tests/vm/truth.awk "$WORK/root/vm/"
	cp tests/vm/init.sh "$WORK/root/init"
	chmod 755 "$WORK/root/init"
	# The guilty line, found in the source, so that an edit of the source
	# cannot make the check lie.
	grep -n 'never freed' tests/vm/leaker.c | cut -d: -f1 >"$WORK/root/vm/line"
}

pack_guest() {
	mkdir -p "$WORK/$1"
	expected_features "$1" | tr ' ' '\n' | sort >"$WORK/root/vm/features"
	(cd "$WORK/root" && find . | cpio -o -H newc --quiet) |
		gzip -1 >"$WORK/$1/initrd"
}

# ---- The guest ------------------------------------------------------------------

# preempt=full: another thread may come in anywhere in a BPF program, as on a
# desktop or real-time kernel, whatever the default of this one is.
# One processor: with two, guests panic now and then under TCG.
boot() {
	rm -f "$WORK/$1/code"
	timeout --foreground -k 5 "$GUEST_SECONDS" qemu-system-x86_64 \
		-accel "$ACCEL" -cpu max -smp 1 -m 2048 \
		-kernel "$CACHE/$2/vmlinuz" -initrd "$WORK/$1/initrd" \
		-append "console=ttyS0 quiet panic=-1 preempt=full" \
		-nographic -no-reboot -nodefaults -serial stdio \
		-serial "file:$WORK/$1/code" \
		-monitor none -net none </dev/null >"$WORK/$1/console" 2>&1 &
	qemu=$!
	wait "$qemu" || :
	qemu=
	# QEMU exits with 0 after a panic, too: what counts is what the guest says.
	[ "$(tr -d '\r\n' <"$WORK/$1/code" 2>/dev/null)" = 0 ]
}

run_version() {
	package=$(newest_package "$1") || {
		echo "FAILED $1: Debian has no such kernel, and none is cached"
		return 1
	}
	fetch_kernel "$package" || {
		echo "FAILED $1: cannot download $package"
		return 1
	}
	pack_guest "$1"
	started=$(date +%s)
	if boot "$1" "$package"; then
		grep -o 'ok .*' "$WORK/$1/console" | tr -d '\r' | sed 's/^/    /'
		echo "passed $1 ($package), $(($(date +%s) - started)) s"
		return 0
	fi
	tail -n 60 "$WORK/$1/console" | tr -d '\r' | sed 's/^/    /'
	echo "FAILED $1 ($package); the guest's console: $WORK/$1/console"
	return 1
}

qemu=
trap '[ -z "$qemu" ] || kill "$qemu" 2>/dev/null' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

versions=${*:-$DEFAULT_VERSIONS}
for version in $versions; do
	expected_features "$version" >/dev/null ||
		fail "'$version': what that kernel has is not known; known are 5.10, 6.1, 6.12, 6.16 to 6.19, 7.0 to 7.2"
done
[ "$(uname -m)" = x86_64 ] || fail "runs x86-64 guests only"
tools/setup.sh vm
mkdir -p "$CACHE"
fetch_lists
build_guest
passed=0 failed=0
for version in $versions; do
	if run_version "$version"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
