/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The site planner: where in a function a probe costs least.
 *
 * The kernel emulates some instructions under a uprobe (push of a register,
 * nop, jmp, jcc, call: arch/x86/kernel/uprobes.c) and single-steps all others
 * out of line, which is 2 to 20 times dearer. So the planner decodes from the
 * function's entry and takes the first instruction that
 *   - is on every path from entry (nothing before it branches away, and no
 *     branch found in the function jumps between entry and it or to it from
 *     beyond: such a jump would hit the probe twice or with other registers),
 *   - the kernel emulates,
 *   - is reached with the argument registers and the caller's registers
 *     untouched and a known number of bytes pushed.
 * When there is none, the function's first instruction is taken and the site
 * says it will be stepped. When in doubt about instruction boundaries, entry.
 */
#ifndef PROBE_SITE_H
#define PROBE_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SITE_WINDOW_BYTES	64    /* how far from entry a site may lie */
#define SITE_FUNCTION_BYTES_MAX 65536 /* how much of it is decoded */

struct probe_site {
	uint32_t offset;      /* from the function's entry, bytes */
	uint32_t stack_depth; /* bytes pushed since entry; sp_entry = sp + it */
	bool emulated;	      /* else the kernel single-steps it */
	char instruction[64]; /* disassembly, for --explain */
	const char *reason;   /* why not emulated; NULL when it is */
	/* enum alloc_kind that tells a probe here where the arguments are:
	 * the function's own, or one with them one register later (mimalloc's
	 * malloc puts the heap in front of its size first). */
	uint32_t kind;
	uint64_t counter_offset; /* struct probe_point */
};

/*
 * `code` are the function's bytes (as far as known, at least one instruction),
 * `address` its link-time address, `kind` its enum alloc_kind: which arguments
 * must be intact follows from that, and whether anything may have been pushed
 * (a return probe or session takes the return address from where the stack
 * pointer points). 0, or -EINVAL when nothing decodes or there is no such
 * kind, or -ENOMEM.
 */
int site_plan(const uint8_t *code, size_t size, uint64_t address, uint32_t kind,
	      struct probe_site *out);

#endif
