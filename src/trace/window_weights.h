/* SPDX-License-Identifier: GPL-2.0-only */
/* What a window has seen stands for all that was allocated since the one
 * before: how much that is, is only known at its end. */
#ifndef TRACE_WINDOW_WEIGHTS_H
#define TRACE_WINDOW_WEIGHTS_H

#include <stdint.h>

struct tracee;
struct tracer;

/* A stack's totals when a window was opened. */
struct window_totals {
	uint64_t bytes, objects_q8;
};

/* A share, above 0, as the programs have it: times 2^32; 0 is all. */
uint32_t window_share(double share);
/* Keeps the totals of the process's stacks. 0 or -ENOMEM. */
int window_weights_begin(struct tracer *t, const struct tracee *e);
/* Weighs what was allocated since: `share` of all that happened, above 0 and at
 * most 1, was seen. Blocks were born between the times. */
void window_weights_end(struct tracer *t, const struct tracee *e, double share,
			uint64_t born_from_ns, uint64_t born_to_ns);

#endif
