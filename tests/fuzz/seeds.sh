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

seed_last_run()
{
	printf 'leakbpf last run 1\nboot %s\nuntil 1 running\ntarget 1 2 c\n' \
		"$(cat /proc/sys/kernel/random/boot_id)" >"$to/run"
}

seed_perf_map()
{
	printf '7f0000001000 40 LazyCompile:*f /a.js:1\n7f0000002000 80 g\n' \
		>"$to/map"
}

zeroes() { head -c "$1" /dev/zero; }

# Two functions of one file each; see tests/unit/go_table_test.c.
seed_go_table()
{
	{
		printf '\361\377\377\377\000\000\001\010\002'
		zeroes 7
		printf '\002'
		zeroes 8
		printf '\020@'
		zeroes 5
		printf 'H'
		zeroes 7
		printf 'h'
		zeroes 7
		printf 'p'
		zeroes 7
		printf '\220'
		zeroes 7
		printf '\250'
		zeroes 8
		printf 'main.leak\000main.main'
		zeroes 16
		printf '\012\000\000\000/src/a.go\000/src/b.go'
		zeroes 14
		printf '\002\020\002\020\000\020\020\003\020'
		zeroes 18
		printf '\024\000\000\000 \000\000\000<\000\000\0000'
		zeroes 7
		printf '\001'
		zeroes 15
		printf '\001\000\000\000\006'
		zeroes 15
		printf ' \000\000\000\013'
		zeroes 35
	} >"$to/table"
}

# The notes of the C library, and arguments of every form.
seed_usdt()
{
	for file in /usr/lib/*-linux-gnu/libc.so.6 \
		/usr/lib/*-linux-gnu/libstdc++.so.6; do
		objcopy -O binary --only-section=.note.stapsdt \
			--set-section-flags .note.stapsdt=alloc,readonly \
			"$file" "$to/$(basename "$file")" 2>/dev/null || :
	done
	printf '8@%%rdi -4@$5 8@-8(%%rbp) 2@(%%rax,%%rbx,8) 1@%%r9b' \
		>"$to/arguments"
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
	# A process with a number, another that takes it over, and a snapshot with
	# a selection and a Go program.
	{
		printf '\001\005\000\007\001g\001k'
		printf '\002\012\000\052\001p\001c\001d\001e\001'
		printf '\002\012\000\053\001q\001c\001d\001e\001'
		printf '\007\075\000\072\012'
		printf '\000%.0s' $(seq 32)
		printf '\001\001s\001\001\001\001\001\001\001k\005'
		printf '\001\052\003\000\001\000\001'
		printf '\000%.0s' $(seq 8)
	} >"$to/programs"
}

# A library with the symbols and code of V8 13.6 that src/v8 looks at.
seed_v8_layout()
{
	v8=_ZN2v88internal
	{
		for name in 13MainAllocator8ResetLabEmmm \
			16LargeObjectSpace7AddPageEPNS0_17LargePageMetadataEm \
			18ScavengerCollector30HandleSurvivingNewLargeObjectsEv \
			20MarkCompactCollector22ClearNonLiveReferencesEv \
			20MarkCompactCollector20IsUnmarkedHeapObjectEv \
			4Heap14CollectGarbageEv 4Heap13SizeOfObjectsEv \
			4Heap20ProcessWeakListRootsEv \
			4Heap36GarbageCollectionPrologueInSafepointEv \
			4Heap36GarbageCollectionEpilogueInSafepointEv \
			17ExternalReference25js_dispatch_table_addressEv \
			23DefaultEmbeddedBlobCodeEv \
			27DefaultEmbeddedBlobCodeSizeEv; do
			printf '.text; .globl %s%s; .type %s%s, @function\n' \
				$v8 "$name" $v8 "$name"
			printf '%s%s:\n' $v8 "$name"
			printf 'mov 0xa0(%%rdi), %%rax\n'
			printf 'lea -0xeff8(%%rdi), %%r15\n'
			printf 'and 0x140(%%rsi,%%rdx,8), %%rax\n'
			printf 'lea blob(%%rip), %%rax; ret\n'
			printf '.size %s%s, . - %s%s\n' $v8 "$name" $v8 "$name"
		done
		for number in v8dbg_TaggedSize=8 ${v8}7Version6major_E=13 \
			${v8}7Version6minor_E=6 v8dbg_off_fp_function=-16 \
			v8dbg_type_JSMap__JS_MAP_TYPE=2112 \
			v8dbg_class_Map__instance_type__uint16_t=12; do
			name=${number%=*}
			printf '.data; .globl %s; .type %s, @object\n' \
				"$name" "$name"
			printf '%s: .long %s; .size %s, 4\n' \
				"$name" "${number#*=}" "$name"
		done
		printf '.balign 8; blob: .quad %s4Heap14CollectGarbageEv\n' $v8
	} >"$to/../v8.s"
	gcc -shared -nostdlib -Wl,-z,noseparate-code,-z,max-page-size=4096 \
		-o "$to/v8" "$to/../v8.s"
	gcc -s -shared -nostdlib -Wl,-z,noseparate-code,-z,max-page-size=4096 \
		-o "$to/v8-stripped" "$to/../v8.s"
	rm -f "$to/../v8.s"
}

# Every frame and object of the image, one word of it changed.
seed_v8_memory()
{
	for which in 0 1 2 3 4 5 6 7 10 11 12 13 14 15 16 17 20 21 22 23 24 25; do
		# shellcheck disable=SC2059
		printf "\\$which\\$which\\$which\\000\\000aaaaaaaa" \
			>"$to/$which"
	done
}

# A map, an index map, and one in a URL.
seed_source_map()
{
	map='{"sources":["../a.ts",7],"names":["x"],"sourceRoot":"src"'
	map=$map',"mappings":"AAAA;;CCSIA,IAAI,K;ECKT"}'
	printf '%s' "$map" >"$to/map"
	printf '{"sections":[{"offset":{"line":0,"column":3},"map":%s},' \
		"$map" >"$to/index"
	printf '{"offset":{"line":2,"column":0},"map":%s}]}' "$map" \
		>>"$to/index"
	printf 'data:application/json;base64,%s' \
		"$(printf '%s' "$map" | base64 -w 0)" >"$to/url"
	printf '../maps/./a%%20b.map?v=1' >"$to/path"
}

case $fuzzer in
fuzz_source_map) seed_source_map ;;
fuzz_v8_memory) seed_v8_memory ;;
fuzz_v8_layout) seed_v8_layout ;;
fuzz_capture) seed_capture ;;
fuzz_object) seed_object ;;
fuzz_cfi) seed_cfi ;;
fuzz_maps) seed_maps ;;
fuzz_demangle) seed_demangle ;;
fuzz_perf_map) seed_perf_map ;;
fuzz_go_table) seed_go_table ;;
fuzz_last_run) seed_last_run ;;
fuzz_usdt) seed_usdt ;;
*) printf x >"$to/one" ;;
esac
