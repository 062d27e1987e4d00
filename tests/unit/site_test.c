/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The site planner on prologues of real allocators (Debian 12's builds) and on
 * code made to mislead it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "leakbpf/abi_user.h"
#include "probe/insn.h"
#include "probe/site.h"

#define BASE 0x1000

struct sample {
	const char *what;
	uint32_t kind;
	uint32_t offset, depth;
	bool emulated;
	uint32_t kind_at_site; /* 0: as `kind` */
	size_t size;
	uint8_t code[96];
};

#define CODE(...)                                                              \
	.size = sizeof((uint8_t[]){__VA_ARGS__}), .code = {__VA_ARGS__}

static void check(const struct sample *s)
{
	uint32_t kind = s->kind_at_site ? s->kind_at_site : s->kind;
	struct probe_site site;
	int err = site_plan(s->code, s->size, BASE, s->kind, &site);

	if (err)
		fail_msg("%s: %s", s->what, strerror(-err));
	if (site.offset != s->offset || site.emulated != s->emulated ||
	    site.stack_depth != s->depth || site.kind != kind)
		fail_msg("%s: expected +%u depth %u %s kind %u, seen +%u depth "
			 "%u %s kind %u (%s; %s)",
			 s->what, s->offset, s->depth,
			 s->emulated ? "emulated" : "stepped", kind,
			 site.offset, site.stack_depth,
			 site.emulated ? "emulated" : "stepped", site.kind,
			 site.instruction, site.reason ? site.reason : "-");
	if (site.emulated != !site.reason)
		fail_msg("%s: reason '%s' does not go with %s", s->what,
			 site.reason ? site.reason : "-",
			 site.emulated ? "emulated" : "stepped");
}

#define CHECK_ALL(samples)                                                     \
	do {                                                                   \
		for (size_t i_ = 0; i_ < sizeof(samples) / sizeof(*samples);   \
		     i_++)                                                     \
			check(&(samples)[i_]);                                 \
	} while (0)

/* ---- Real prologues ---- */

static void test_real_prologues_get_the_cheap_site(void **state)
{
	static const struct sample samples[] = {
		{"glibc malloc: push %r12 first", ALLOC_SIZE, 0, 0, true, 0,
		 CODE(0x41, 0x54, 0x55, 0x53, 0x48, 0x89, 0xfb, 0x48, 0x83,
		      0xec, 0x10, 0x80, 0x3d, 0x46, 0x1b, 0x14, 0x00, 0x00,
		      0x0f, 0x84, 0xf8, 0x01, 0x00, 0x00)},
		{"glibc free: je after test %rdi,%rdi", FREE_POINTER, 3, 0,
		 true, 0,
		 CODE(0x48, 0x85, 0xff, 0x0f, 0x84, 0xbf, 0x00, 0x00, 0x00,
		      0x55, 0x48, 0x8d, 0x77, 0xf0, 0x53, 0x48, 0x83, 0xec,
		      0x18)},
		{"glibc realloc: push %r15 first", ALLOC_REALLOC, 0, 0, true, 0,
		 CODE(0x41, 0x57, 0x41, 0x56, 0x41, 0x55, 0x41, 0x54, 0x55,
		      0x48, 0x89, 0xf5, 0x53, 0x48, 0x89, 0xfb)},
		{"glibc calloc: push %r13 first", ALLOC_COUNT_SIZE, 0, 0, true,
		 0,
		 CODE(0x41, 0x55, 0x48, 0x89, 0xf8, 0x41, 0x54, 0x55, 0x53,
		      0x48, 0x83, 0xec, 0x18, 0x48, 0xf7, 0xe6)},
		{"glibc posix_memalign: push after cmpb", ALLOC_OUT_ALIGN_SIZE,
		 7, 0, true, 0,
		 CODE(0x80, 0x3d, 0x01, 0x02, 0x14, 0x00, 0x00, 0x41, 0x54,
		      0x49, 0x89, 0xd4, 0x55, 0x48, 0x89, 0xfd)},
		{"glibc reallocarray: mul clobbers %rdx before jo",
		 ALLOC_REALLOC_COUNT, 0, 0, false, 0,
		 CODE(0x48, 0x89, 0xf0, 0x48, 0xf7, 0xe2, 0x48, 0x89, 0xc6,
		      0x70, 0x05, 0xe9, 0x40, 0xb8, 0xf8, 0xff, 0x31, 0xc0,
		      0xc3)},
		{"jemalloc malloc: ja after cmp", ALLOC_SIZE, 7, 0, true, 0,
		 CODE(0x48, 0x81, 0xff, 0x00, 0x10, 0x00, 0x00, 0x0f, 0x87,
		      0x93, 0x00, 0x00, 0x00, 0x48, 0x8d, 0x15, 0x5c, 0x7f,
		      0x2c, 0x00)},
		{"jemalloc free: jne after ten instructions", FREE_POINTER, 48,
		 0, true, 0,
		 CODE(0x48, 0x89, 0xf8, 0x48, 0x8b, 0x15, 0x0e, 0x53, 0x0a,
		      0x00, 0x48, 0x89, 0xf9, 0x48, 0xc1, 0xe8, 0x1a, 0x48,
		      0x81, 0xe1, 0x00, 0x00, 0x00, 0xc0, 0x25, 0xf0, 0x00,
		      0x00, 0x00, 0x64, 0x48, 0x03, 0x04, 0x25, 0x00, 0x00,
		      0x00, 0x00, 0x48, 0x01, 0xd0, 0x48, 0x3b, 0x88, 0xb0,
		      0x01, 0x00, 0x00, 0x0f, 0x85, 0x8a, 0x00, 0x00, 0x00,
		      0x48, 0x89, 0xfe)},
		{"tcmalloc malloc: jne after test", ALLOC_SIZE, 10, 0, true, 0,
		 CODE(0x48, 0x8b, 0x05, 0x59, 0xab, 0x00, 0x00, 0x48, 0x85,
		      0xc0, 0x75, 0x75, 0x48, 0x8b, 0x05, 0x05, 0xa1, 0x00,
		      0x00)},
		{"mimalloc malloc: ja, the size has moved to %rsi", ALLOC_SIZE,
		 21, 0, true, ALLOC_ALIGN_SIZE,
		 CODE(0x48, 0x8b, 0x05, 0x49, 0xb4, 0x00, 0x00, 0x48, 0x89,
		      0xfe, 0x64, 0x48, 0x8b, 0x38, 0x48, 0x81, 0xfe, 0x00,
		      0x04, 0x00, 0x00, 0x77, 0x29, 0x48, 0x8d, 0x46, 0x07)},
		{"mimalloc calloc: the count has moved to %rax",
		 ALLOC_COUNT_SIZE, 0, 0, false, 0,
		 CODE(0x48, 0x8b, 0x15, 0xc9, 0xad, 0x00, 0x00, 0x48, 0x89,
		      0xf8, 0x64, 0x48, 0x8b, 0x3a, 0x48, 0x83, 0xf8, 0x01,
		      0x74, 0x08, 0x48, 0xf7, 0xe6)},
		{"mimalloc free: je after mov, test", FREE_POINTER, 6, 0, true,
		 0,
		 CODE(0x48, 0x89, 0xf9, 0x48, 0x85, 0xff, 0x74, 0x5d, 0x48,
		      0x8d, 0x7f, 0xff)},
		{"musl malloc: a jump", ALLOC_SIZE, 0, 0, true, 0,
		 CODE(0xe9, 0x6b, 0x19, 0x00, 0x00)},
		{"musl reallocarray: je with %rdx intact", ALLOC_REALLOC_COUNT,
		 6, 0, true, 0,
		 CODE(0x48, 0x89, 0xd1, 0x48, 0x85, 0xd2, 0x74, 0x08, 0x48,
		      0x89, 0xf0, 0x48, 0xf7, 0xe1)},
		{"glibc munmap: syscall comes before jae", MAP_MUNMAP, 0, 0,
		 false, 0,
		 CODE(0xb8, 0x0b, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x3d,
		      0x01, 0xf0, 0xff, 0xff, 0x73, 0x01, 0xc3)},
		{"_dl_debug_state: ret", LOADER_STATE, 0, 0, false, 0,
		 CODE(0xc3)},
	};

	CHECK_ALL(samples);
}

/* ---- Single instructions ---- */

static void test_only_what_the_kernel_emulates_is_chosen(void **state)
{
	/* Each is followed by push %rbx, the next chance. */
	static const struct sample samples[] = {
		{"endbr64", ALLOC_SIZE, 4, 0, true, 0,
		 CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x53, 0xc3)},
		{"push %r8", ALLOC_SIZE, 0, 0, true, 0, CODE(0x41, 0x50, 0xc3)},
		{"push with an empty REX", FREE_POINTER, 2, 8, true, 0,
		 CODE(0x40, 0x53, 0x53, 0xc3)},
		{"push $1", FREE_POINTER, 2, 8, true, 0,
		 CODE(0x6a, 0x01, 0x53, 0xc3)},
		{"push (%rax)", FREE_POINTER, 2, 8, true, 0,
		 CODE(0xff, 0x30, 0x53, 0xc3)},
		{"nop", ALLOC_SIZE, 0, 0, true, 0, CODE(0x90, 0xc3)},
		{"bnd jmp", ALLOC_SIZE, 0, 0, true, 0,
		 CODE(0xf2, 0xe9, 0x00, 0x10, 0x00, 0x00)},
		{"call", ALLOC_SIZE, 0, 0, true, 0,
		 CODE(0xe8, 0x00, 0x10, 0x00, 0x00, 0xc3)},
		{"call (%rax)", ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0xff, 0x10, 0x53, 0xc3)},
		{"jrcxz", ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0xe3, 0x01, 0x53, 0xc3)},
		{"rep ret", ALLOC_SIZE, 0, 0, false, 0, CODE(0xf3, 0xc3)},
		{"jmp *slot(%rip)", ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0xff, 0x25, 0x00, 0x10, 0x00, 0x00)},
	};

	CHECK_ALL(samples);
}

static void test_long_nops_are_taken_only_where_harmless(void **state)
{
	static const struct sample samples[] = {
		{"5-byte nop at entry, nothing better", ALLOC_SIZE, 0, 0, false,
		 0, CODE(0x0f, 0x1f, 0x44, 0x00, 0x00, 0x48, 0x89, 0xf8, 0xc3)},
		{"5-byte nop after endbr64", ALLOC_SIZE, 4, 0, false, 0,
		 CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x0f, 0x1f, 0x44, 0x00, 0x00,
		      0x48, 0x89, 0xf8, 0xc3)},
		{"push is better than a 5-byte nop", ALLOC_SIZE, 5, 0, true, 0,
		 CODE(0x0f, 0x1f, 0x44, 0x00, 0x00, 0x53, 0xc3)},
		{"5-byte nop beside a red zone in use", FREE_POINTER, 0, 0,
		 false, 0,
		 CODE(0x48, 0x89, 0x44, 0x24, 0xf8, 0x0f, 0x1f, 0x44, 0x00,
		      0x00, 0xc3)},
		{"4-byte nop in the middle", FREE_POINTER, 3, 0, false, 0,
		 CODE(0x48, 0x89, 0xf8, 0x0f, 0x1f, 0x40, 0x00, 0xc3)},
	};

	CHECK_ALL(samples);
}

static void test_refused_instructions_are_never_chosen(void **state)
{
	static const struct sample samples[] = {
		{"cs nopw (a prefix that uprobes refuse)", ALLOC_SIZE, 10, 0,
		 false, 0,
		 CODE(0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00,
		      0x00, 0x48, 0x89, 0xf8, 0xc3)},
		{"a branch hint", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x3e, 0x74, 0x01, 0xc3, 0xc3)},
	};

	CHECK_ALL(samples);
}

/* ---- Paths ---- */

static void test_jumps_into_the_window_rule_a_site_out(void **state)
{
	static const struct sample samples[] = {
		{"a loop back to the je at +3", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x05, 0x48, 0x8b, 0x3f, 0xeb,
		      0xf9, 0xc3)},
		{"a loop back to before the site", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x89, 0xf8, 0x48, 0x85, 0xff, 0x74, 0x02, 0xeb,
		      0xf9, 0xc3)},
		{"a jump into the middle of an instruction", FREE_POINTER, 0, 0,
		 false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x02, 0xeb, 0xfa, 0xc3)},
		{"the site jumps to itself", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0xfe, 0xc3)},
		{"a call into the window", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x05, 0xe8, 0xf9, 0xff, 0xff,
		      0xff, 0xc3)},
		{"a loop to the entry is another call", FREE_POINTER, 3, 0,
		 true, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x05, 0x48, 0x8b, 0x3f, 0xeb,
		      0xf6, 0xc3)},
		{"a loop behind the site is none of its business", FREE_POINTER,
		 3, 0, true, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x05, 0x48, 0x8b, 0x3f, 0xeb,
		      0xfb, 0xc3)},
		{"a switch may lead anywhere", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x09, 0x48, 0x63, 0x04, 0x82,
		      0x48, 0x01, 0xd0, 0xff, 0xe0, 0xc3)},
		{"so may one through a table of addresses", FREE_POINTER, 0, 0,
		 false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x07, 0xff, 0x24, 0xc5, 0x00,
		      0x20, 0x00, 0x00, 0xc3)},
		{"and any jump that is marked notrack", FREE_POINTER, 0, 0,
		 false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x03, 0x3e, 0xff, 0xe0, 0xc3)},
		{"a switch does not matter to the first instruction",
		 FREE_POINTER, 0, 0, true, 0,
		 CODE(0x53, 0x48, 0x85, 0xff, 0x74, 0x09, 0x48, 0x63, 0x04,
		      0x82, 0x48, 0x01, 0xd0, 0xff, 0xe0, 0xc3)},
		{"a jump through a hook leaves the function (glibc 2.31)",
		 FREE_POINTER, 21, 24, true, 0,
		 CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x18, 0x48,
		      0x8b, 0x05, 0x11, 0x22, 0x15, 0x00, 0x48, 0x8b, 0x00,
		      0x48, 0x85, 0xc0, 0x75, 0x05, 0x48, 0x83, 0xc4, 0x18,
		      0xc3, 0x48, 0x8b, 0x74, 0x24, 0x18, 0x48, 0x83, 0xc4,
		      0x18, 0xff, 0xe0)},
		{"bytes that do not decode, then more than fits one",
		 FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0x74, 0x05, 0x06, 0x06, 0x06, 0x06,
		      0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06, 0x06,
		      0x06, 0x06, 0x06, 0x06)},
		{"a branch before the push", ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0x48, 0x85, 0xff, 0xe3, 0x01, 0x53, 0xc3)},
	};

	CHECK_ALL(samples);
}

static void test_changed_registers_rule_a_site_out(void **state)
{
	static const struct sample samples[] = {
		{"the argument is loaded over", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x8b, 0x3f, 0x74, 0x01, 0xc3, 0xc3)},
		{"the argument's low half is written", FREE_POINTER, 0, 0,
		 false, 0, CODE(0x89, 0xff, 0x74, 0x01, 0xc3, 0xc3)},
		{"the argument's low byte is written", FREE_POINTER, 0, 0,
		 false, 0,
		 CODE(0x40, 0x0f, 0x94, 0xc7, 0x74, 0x01, 0xc3, 0xc3)},
		{"popped over", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x6a, 0x01, 0x5f, 0x74, 0x01, 0xc3, 0xc3)},
		{"a register that is no argument", FREE_POINTER, 2, 0, true, 0,
		 CODE(0x31, 0xf6, 0x74, 0x01, 0xc3, 0xc3)},
		{"the second argument, which calloc has", ALLOC_COUNT_SIZE, 0,
		 0, false, 0, CODE(0x31, 0xf6, 0x74, 0x01, 0xc3, 0xc3)},
		{"the caller's frame pointer", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x89, 0xe5, 0x74, 0x01, 0xc3, 0xc3)},
		{"the caller's %r15", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x45, 0x31, 0xff, 0x74, 0x01, 0xc3, 0xc3)},
		{"both arguments one register later", ALLOC_REALLOC, 9, 0, true,
		 ALLOC_HEAP_REALLOC,
		 CODE(0x48, 0x89, 0xf2, 0x48, 0x89, 0xfe, 0x48, 0x8b, 0x38,
		      0x74, 0x01, 0xc3, 0xc3)},
		{"only half of a register was copied", ALLOC_SIZE, 0, 0, false,
		 0, CODE(0x89, 0xfe, 0x48, 0x8b, 0x38, 0x74, 0x01, 0xc3, 0xc3)},
		{"the copy was changed afterwards", ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0x48, 0x89, 0xfe, 0x48, 0x8b, 0x38, 0x48, 0xff, 0xc6,
		      0x74, 0x01, 0xc3, 0xc3)},
		{"an instruction nobody knows", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x0f, 0xa2, 0x74, 0x01, 0xc3, 0xc3)},
	};

	CHECK_ALL(samples);
}

static void test_stack_depth_is_followed(void **state)
{
	static const struct sample samples[] = {
		{"free: sub $0x18,%rsp, then je", FREE_POINTER, 7, 0x18, true,
		 0,
		 CODE(0x48, 0x83, 0xec, 0x18, 0x48, 0x85, 0xff, 0x74, 0x01,
		      0xc3, 0xc3)},
		{"free: sub $0x1000,%rsp", FREE_POINTER, 7, 0x1000, true, 0,
		 CODE(0x48, 0x81, 0xec, 0x00, 0x10, 0x00, 0x00, 0x53, 0xc3)},
		{"free: lea -8(%rsp),%rsp", FREE_POINTER, 5, 8, true, 0,
		 CODE(0x48, 0x8d, 0x64, 0x24, 0xf8, 0x53, 0xc3)},
		{"free: sub and add", FREE_POINTER, 8, 8, true, 0,
		 CODE(0x48, 0x83, 0xec, 0x10, 0x48, 0x83, 0xc4, 0x08, 0x53,
		      0xc3)},
		{"malloc: a return probe needs the return address on top",
		 ALLOC_SIZE, 0, 0, false, 0,
		 CODE(0x48, 0x83, 0xec, 0x18, 0x48, 0x85, 0xff, 0x74, 0x01,
		      0xc3, 0xc3)},
		{"an aligned stack has no known depth", FREE_POINTER, 0, 0,
		 false, 0, CODE(0x48, 0x83, 0xe4, 0xf0, 0x53, 0xc3)},
		{"more than the cookie holds", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x81, 0xec, 0x00, 0x00, 0x01, 0x00, 0x53, 0xc3)},
		{"popping the return address", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x58, 0x53, 0xc3)},
		{"a 16-bit push", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x66, 0x50, 0x53, 0xc3)},
		{"a new stack", FREE_POINTER, 0, 0, false, 0,
		 CODE(0x48, 0x89, 0xfc, 0x53, 0xc3)},
	};

	CHECK_ALL(samples);
}

static void test_the_window_is_bounded(void **state)
{
	struct sample s = {"64 bytes of mov, then push",
			   FREE_POINTER,
			   0,
			   0,
			   false,
			   0,
			   0,
			   {0}};

	for (int i = 0; i < 22; i++)
		memcpy(s.code + 3 * i, "\x48\x89\xf8", 3);
	s.code[66] = 0x53;
	s.code[67] = 0xc3;
	s.size = 68;
	check(&s);
}

static void test_what_does_not_decode_is_an_error(void **state)
{
	static const uint8_t cut[] = {0x48, 0x81, 0xff, 0x00};
	static const uint8_t invalid[] = {0x06, 0x06, 0x06};
	struct probe_site site;

	assert_int_equal(site_plan(cut, sizeof(cut), BASE, ALLOC_SIZE, &site),
			 -EINVAL);
	assert_int_equal(
		site_plan(invalid, sizeof(invalid), BASE, ALLOC_SIZE, &site),
		-EINVAL);
	assert_int_equal(site_plan(cut, 0, BASE, ALLOC_SIZE, &site), -EINVAL);
	assert_int_equal(site_plan(cut, sizeof(cut), BASE, 99, &site), -EINVAL);
}

/* Whether an instruction starts at `offset`, decoding from the start. */
static bool is_boundary(const uint8_t *code, size_t size, uint32_t offset)
{
	struct insn_reader r;
	struct insn i;
	bool found = false;

	assert_int_equal(insn_reader_open(&r, code, size, BASE, false), 0);
	while (!found && insn_read(&r, &i))
		found = i.address == BASE + offset;
	insn_reader_close(&r);
	return found;
}

static void test_random_bytes_give_a_boundary_in_the_window(void **state)
{
	unsigned seed = 1;
	unsigned planned = 0;

	for (int round = 0; round < 3000; round++) {
		uint8_t code[128];
		struct probe_site site;
		size_t size = 1 + (size_t)rand_r(&seed) % sizeof(code);

		for (size_t i = 0; i < size; i++)
			code[i] = (uint8_t)rand_r(&seed);
		if (site_plan(code, size, BASE,
			      round & 1 ? ALLOC_SIZE : FREE_POINTER, &site))
			continue;
		planned++;
		assert_true(site.offset < SITE_WINDOW_BYTES);
		assert_true(is_boundary(code, size, site.offset));
		if (round & 1)
			assert_int_equal(site.stack_depth, 0);
	}
	assert_true(planned > 1000);
}

/* ---- The kernel's opinion ---- */

/* Functions of this program that begin with each instruction. They are never
 * called: only whether a uprobe can be set matters. */
#define INSTRUCTIONS(X)                                                        \
	X(push, "push %rbx")                                                   \
	X(push_r12, "push %r12")                                               \
	X(nop, "nop")                                                          \
	X(nop4, ".byte 0x0f, 0x1f, 0x40, 0")                                   \
	X(nop5, ".byte 0x0f, 0x1f, 0x44, 0, 0")                                \
	X(nop10, ".byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0")          \
	X(endbr64, "endbr64")                                                  \
	X(jmp, ".byte 0xeb, 0")                                                \
	X(bnd_jmp, ".byte 0xf2, 0xe9, 0, 0, 0, 0")                             \
	X(jcc, ".byte 0x0f, 0x84, 0, 0, 0, 0")                                 \
	X(jcc_hint, ".byte 0x3e, 0x74, 0")                                     \
	X(jcc_word, ".byte 0x66, 0x74, 0")                                     \
	X(call, ".byte 0xe8, 0, 0, 0, 0")                                      \
	X(test, "test %rdi, %rdi")                                             \
	X(lock_inc, "lock incl (%rdi)")                                        \
	X(hlt, "hlt")                                                          \
	X(int3, "int3")                                                        \
	X(cli, "cli")                                                          \
	X(in, "in %dx, %al")                                                   \
	X(notrack_jmp, ".byte 0x3e, 0xff, 0xe0")                               \
	X(fs_mov, "mov %fs:0, %rax")                                           \
	X(ret, "ret")

#define DEFINE(name, text)                                                     \
	__asm__(".text\n.p2align 4\nprobed_" #name ":\n" text                  \
		"\nret\n.byte 0,0,0,0,0,0,0,0,0,0,0,0,0,0\n");                 \
	extern const uint8_t probed_##name[];
INSTRUCTIONS(DEFINE)

static uint64_t own_file_offset(const void *address)
{
	unsigned long start, end, offset;
	char line[512], mode[8];
	FILE *maps = fopen("/proc/self/maps", "r");

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, mode,
			   &offset) == 4 &&
		    (uintptr_t)address >= start && (uintptr_t)address < end) {
			fclose(maps);
			return (uintptr_t)address - start + offset;
		}
	}
	fclose(maps);
	fail_msg("no mapping of this program holds %p", address);
	return 0;
}

static int uprobe_pmu(void)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	int type = -1;

	if (f) {
		if (fscanf(f, "%d", &type) != 1)
			type = -1;
		fclose(f);
	}
	return type;
}

/* 0 or errno of setting a uprobe there. */
static int try_uprobe(int type, const void *address)
{
	static char path[4096];
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = (uint32_t)type,
		.config1 = (uintptr_t)path,
		.config2 = own_file_offset(address),
	};
	long n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int fd;

	assert_true(n > 0);
	fd = (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1,
			  PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static void test_the_kernel_agrees_what_can_be_probed(void **state)
{
	static const struct {
		const char *name;
		const uint8_t *code;
	} list[] = {
#define ENTRY(name, text) {#name, probed_##name},
		INSTRUCTIONS(ENTRY)};
	int type = uprobe_pmu();

	if (type < 0 || try_uprobe(type, probed_push) == EACCES ||
	    try_uprobe(type, probed_push) == EPERM) {
		print_message("no permission to set uprobes: skipped\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++) {
		struct insn_reader r;
		struct insn insn = {.bytes = list[i].code};
		enum insn_cost cost = INSN_REFUSED;
		int err = try_uprobe(type, list[i].code);

		assert_int_equal(
			insn_reader_open(&r, list[i].code, 15, BASE, false), 0);
		if (insn_read(&r, &insn))
			cost = insn_probe_cost(&insn);
		insn_reader_close(&r);
		print_message("%-12s %s, %s\n", list[i].name,
			      cost == INSN_REFUSED    ? "refused"
			      : cost == INSN_STEPPED  ? "stepped"
			      : cost == INSN_EMULATED ? "emulated"
						      : "emulated from 6.16",
			      err ? strerror(err) : "can be probed");
		/* Later kernels may take more, never less. */
		if (err && cost != INSN_REFUSED)
			fail_msg("%s: expected that it can be probed, seen %s",
				 list[i].name, strerror(err));
	}
	assert_int_not_equal(try_uprobe(type, probed_jcc_hint), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_real_prologues_get_the_cheap_site),
		cmocka_unit_test(test_only_what_the_kernel_emulates_is_chosen),
		cmocka_unit_test(test_long_nops_are_taken_only_where_harmless),
		cmocka_unit_test(test_refused_instructions_are_never_chosen),
		cmocka_unit_test(test_jumps_into_the_window_rule_a_site_out),
		cmocka_unit_test(test_changed_registers_rule_a_site_out),
		cmocka_unit_test(test_stack_depth_is_followed),
		cmocka_unit_test(test_the_window_is_bounded),
		cmocka_unit_test(test_what_does_not_decode_is_an_error),
		cmocka_unit_test(
			test_random_bytes_give_a_boundary_in_the_window),
		cmocka_unit_test(test_the_kernel_agrees_what_can_be_probed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
