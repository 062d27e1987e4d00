#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Writes a seed corpus for one fuzzer, made from files of this system:
#   seeds.sh FUZZER DIRECTORY
set -eu

fuzzer=$1
to=$2
mkdir -p "$to"

# Small ELF files: programs and libraries that every Debian system has.
small_elf_files()
{
	find -L /bin /usr/lib/*-linux-gnu -maxdepth 1 -type f -size -40k \
		\( -perm -u+x -o -name '*.so*' \) 2>/dev/null | sort | head -n 40
}

seed_object()
{
	small_elf_files | while read -r file; do
		cp "$file" "$to/$(basename "$file")"
	done
}

# A byte that tells the section's kind, then the section; see fuzz_cfi.c.
seed_cfi()
{
	small_elf_files | while read -r file; do
		out=$to/$(basename "$file")
		objcopy -O binary --only-section=.eh_frame \
			--set-section-flags .eh_frame=alloc,readonly \
			"$file" "$out.raw" 2>/dev/null || continue
		{
			printf '\001'
			head -c 16384 "$out.raw"
		} >"$out"
		rm -f "$out.raw"
	done
}

seed_maps()
{
	for pid in self 1; do
		cat "/proc/$pid/maps" >"$to/maps.$pid" 2>/dev/null || :
	done
}

seed_demangle()
{
	nm -D --defined-only /usr/lib/*-linux-gnu/libstdc++.so.6 2>/dev/null |
		awk '{ print $NF }' | sed 's/@.*//' | awk 'NR % 50 == 0' |
		while read -r name; do
			printf '%s' "$name" >"$to/$(printf '%s' "$name" | cksum | tr ' ' _)"
		done
}

seed_perf_map()
{
	printf '7f0000001000 40 LazyCompile:*f /a.js:1\n7f0000002000 80 g\n' \
		>"$to/map"
}

# META, PROCESS, STRINGS, SYMBOLS, STACKS, SNAPSHOT; see fuzz_capture.c.
seed_capture()
{
	{
		printf '\001\005\000\007\001g\001k'
		printf '\002\005\000\052\001p\001c'
		printf '\004\004\000\001f\001m'
		printf '\005\012\000\007\001\000\002\001\001\000\003\000\000'
		printf '\006\006\000\001\052\000\000\001\007'
		printf '\007\045\000\040\012'
		printf '\000%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 \
			19 20 21 22 23 24 25 26 27 28 29 30 31
		printf '\002\004\012\000\000'
	} >"$to/capture"
}

case $fuzzer in
fuzz_capture) seed_capture ;;
fuzz_object) seed_object ;;
fuzz_cfi) seed_cfi ;;
fuzz_maps) seed_maps ;;
fuzz_demangle) seed_demangle ;;
fuzz_perf_map) seed_perf_map ;;
*) printf x >"$to/one" ;;
esac
