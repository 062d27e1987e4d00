/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How an unwind rule is packed into the 32 bits of struct unwind_row.
 * Written by src/unwind (compiling CFI), read by bpf/unwind.h.
 *
 *   bits  2..0   enum unwind_kind
 *   bit   3      UNWIND_ALLOCATOR: inside a probed allocation function
 *   bits 22..4   CFA offset / 8   (CFA_SP, CFA_FP: unsigned, up to 4 MiB)
 *                or rule number   (EXT: index into map unwind_rules)
 *   bit  23      caller's frame pointer is saved
 *   bits 31..24  its place: (CFA - address) / 8, unsigned (CFA_SP, CFA_FP)
 *
 * On x86-64 the return address is always at CFA - 8 and the caller's stack
 * pointer is the CFA (System V ABI, AMD64 supplement, 3.2.2).
 */
#ifndef LEAKBPF_UNWIND_RULE_H
#define LEAKBPF_UNWIND_RULE_H

enum unwind_kind {
	UNWIND_NONE = 0, /* no CFI here: try the frame pointer */
	UNWIND_ROOT,	 /* return address undefined: outermost frame */
	UNWIND_CFA_SP,	 /* CFA = stack pointer + offset */
	UNWIND_CFA_FP,	 /* CFA = frame pointer + offset */
	UNWIND_EXT,	 /* see struct unwind_rule_ext */
	UNWIND_SIGNAL, /* registers are in the ucontext at the stack pointer */
	UNWIND_BAD,    /* CFI that the BPF unwinder cannot follow */
};

enum unwind_register { UNWIND_REG_SP = 0, UNWIND_REG_FP = 1 };

/* unwind_rule_ext.fp_saved: what fp_offset is relative to. */
enum unwind_fp_saved {
	UNWIND_FP_KEPT = 0, /* not saved: still in the register */
	UNWIND_FP_AT_CFA,
	UNWIND_FP_AT_FP, /* functions of gcc that realign the stack */
	UNWIND_FP_AT_SP,
};

#define UNWIND_ALLOCATOR    (1u << 3)
#define UNWIND_OFFSET_SHIFT 4
#define UNWIND_OFFSET_BITS  19
#define UNWIND_OFFSET_MASK  ((1u << UNWIND_OFFSET_BITS) - 1)
#define UNWIND_FP_SAVED	    (1u << 23)
#define UNWIND_FP_SHIFT	    24

#define UNWIND_RULE_KIND(r) ((r)&7u)
#define UNWIND_RULE_OFFSET(r)                                                  \
	(((r) >> UNWIND_OFFSET_SHIFT & UNWIND_OFFSET_MASK) * 8)
#define UNWIND_RULE_INDEX(r)	    ((r) >> UNWIND_OFFSET_SHIFT & UNWIND_OFFSET_MASK)
#define UNWIND_RULE_FP_BELOW_CFA(r) (((r) >> UNWIND_FP_SHIFT) * 8)

/* Distinct EXT rules kept for all objects together. */
#define UNWIND_RULES_EXT_MAX 4096

#endif
