/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sampling finer than at the start while that is cheap. Most programs allocate
 * so little that sixteen times the samples cost next to nothing, and a slow
 * leak is found that much sooner: a verdict takes some 20 samples of it. What a
 * program pays for each call that is not sampled stays the same.
 *
 * Included by tracer_internal.h.
 */
#ifndef TRACE_REFINE_H
#define TRACE_REFINE_H

#include <stdint.h>

/* A sixteenth of the interval at the start. */
#define REFINE_MOST 16

struct refine_facts {
	uint64_t interval; /* mean bytes between samples now */
	uint64_t start;	   /* ... at the start */
	/* CPU time per time: of samples, of all probes, and allowed for these
	 * (0: any). */
	double share, cost, allowed;
	uint64_t outstanding, room; /* entries of the table of blocks */
};

/* The interval to go on with: half, twice, or the same. Never coarser than at
 * the start. */
uint64_t refine_interval(const struct refine_facts *f);

struct refine {
	uint64_t looked_ns;	     /* 0: not yet */
	uint64_t sample_ns, cost_ns; /* spent until then */
};

struct tracer;

/* Now and then. */
void tracer_refine(struct tracer *t, uint64_t now_ns);

#endif
