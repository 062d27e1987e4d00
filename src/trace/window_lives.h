/* SPDX-License-Identifier: GPL-2.0-only */
/* What windows have seen of the lives of blocks (budget/life_table.h), by
 * stack, and what of the blocks on the books still lives by that. */
#ifndef TRACE_WINDOW_LIVES_H
#define TRACE_WINDOW_LIVES_H

#include <stdint.h>

#include "budget/life_table.h"

struct stack_stats;
struct tracee;
struct tracer;

struct window_life {
	struct life_table table;
	uint64_t deaths[LIFE_CLASSES]; /* struct stack_lives, at the last end */
};

/* When a target is observed in windows for the first time. 0 or -ENOMEM. */
int window_lives_init(struct tracer *t);
/* After the pass over the blocks at a window's end (window_weights.h);
 * `seconds`: as long as what it has seen takes outside of it. */
void window_lives_end(struct tracer *t, const struct tracee *e, double seconds);
/* In a copy of a stack's totals: takes off what had died unseen by the
 * end of the last window, and says how much of the rest lives for certain. */
void window_lives_apply(struct tracer *t, uint32_t id, uint64_t now_ns,
			struct stack_stats *s);
/* The stack's id is to be used again. */
void window_lives_forget(struct tracer *t, uint32_t id);

#endif
