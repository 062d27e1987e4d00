/* SPDX-License-Identifier: GPL-2.0-only */
/* What a window has seen stands for all that was allocated since the one
 * before: how much that is, is only known at its end. */
#ifndef TRACE_WINDOW_WEIGHTS_H
#define TRACE_WINDOW_WEIGHTS_H

#include <stdint.h>

#include "budget/cluster.h"

struct stack_stats;
struct tracee;
struct tracer;

/* Of a stack. */
struct window_totals {
	uint64_t bytes, objects_q8; /* when a window was opened */
	struct cluster_sums seen;   /* in all windows */
};

/* What the last window stands for. */
struct window_weight {
	double share;	/* it has seen that much of it; above 0, at most 1 */
	double seconds; /* about that long */
	uint64_t born_from_ns, born_to_ns; /* the blocks that it has seen */
};

/* A share, above 0, as the programs have it: times 2^32; 0 is all. */
uint32_t window_share(double share);
/* Keeps the totals of the process's stacks. 0 or -ENOMEM. */
int window_weights_begin(struct tracer *t, const struct tracee *e);
/* Weighs what was allocated since. */
void window_weights_end(struct tracer *t, struct tracee *e,
			const struct window_weight *weight);
/* In a copy of a stack's totals: how far off windows make them. */
void window_weights_apply(struct tracer *t, uint32_t id, struct stack_stats *s);
/* The stack's id is to be used again. */
void window_weights_forget(struct tracer *t, uint32_t id);

#endif
