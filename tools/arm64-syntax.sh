#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Whether user space compiles for arm64: checks every file of src/ and the BPF
# programs that find out what a kernel can do, with the headers of Debian's arm64
# packages, which are unpacked into .cache/arm64 and never installed. Prints what
# does not compile and exits with 1. `make` must have been run: the skeletons are
# made there.
#
#   tools/arm64-syntax.sh BUILD
set -eu
cd "$(dirname "$0")/.."
build=$1
place=$PWD/.cache/arm64
root=$place/root

PACKAGES="libc6-dev linux-libc-dev libbpf-dev libelf-dev libdw-dev zlib1g-dev
	liblzma-dev libbz2-dev libcapstone-dev libiberty-dev libncurses-dev
	libevent-dev libjson-c-dev libinih-dev libcap-ng-dev"

apt_arm64() {
	apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
		-o Dir::State::Lists="$place/lists" -o Dir::Cache::pkgcache= \
		-o Dir::Cache::srcpkgcache= "$@"
}

if [ ! -e "$root/complete" ]; then
	mkdir -p "$place/lists/partial" "$place/packages" "$root"
	apt_arm64 update
	# shellcheck disable=SC2086
	(cd "$place/packages" && apt_arm64 download $PACKAGES)
	for package in "$place"/packages/*.deb; do
		dpkg -x "$package" "$root"
	done
	touch "$root/complete"
fi

status=0
for file in src/*/*.c; do
	clang -fsyntax-only --target=aarch64-linux-gnu --sysroot="$root" \
		-D_GNU_SOURCE -DLEAKBPF_VERSION='""' -Iinclude -Isrc -I"$build" \
		-std=c11 -Wall -Wextra -Werror -Wno-unused-parameter "$file" ||
		status=1
done
clang -fsyntax-only -target bpf -mcpu=v3 -std=gnu11 -Wall -Werror \
	-Wno-unused-function -D__TARGET_ARCH_arm64 -Iinclude -Ibpf \
	-I"$root/usr/include/aarch64-linux-gnu" bpf/features.bpf.c || status=1
exit $status
