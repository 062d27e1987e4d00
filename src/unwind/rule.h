/* SPDX-License-Identifier: GPL-2.0-only */
/* From a CFI state to a packed rule (leakbpf/unwind_rule.h). */
#ifndef UNWIND_RULE_H
#define UNWIND_RULE_H

#include <stdint.h>

#include "unwind/cfi.h"
#include "unwind/unwind_table.h"

/* Extended rules one object may add: real ones have a few dozen, and a hostile
 * one must leave some of the pool to the others. */
#define RULES_EXT_PER_OBJECT 256

/* Packs the rules of one object. Those that do not fit 32 bits go to the pool,
 * found again through a hash table. */
struct rule_packer {
	struct unwind_rule_pool *pool;
	size_t made;	 /* rules so far */
	size_t next;	 /* numbers below are taken */
	size_t roomless; /* rules asked for that there was no room for */
	uint16_t slots[2 * UNWIND_RULES_EXT_MAX]; /* index + 1; 0: free */
};

void rule_packer_init(struct rule_packer *p, struct unwind_rule_pool *pool);
/* UNWIND_BAD also when there is no room for the rule. */
uint32_t rule_pack(struct rule_packer *p, const struct cfi_state *state,
		   bool is_signal_frame);

#endif
