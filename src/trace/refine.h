/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How finely allocations are sampled. Whoever gives --sample-bytes decides;
 * else
 *
 * - finer than at the start while that is cheap. Most programs allocate so
 *   little that sixteen times the samples cost next to nothing, and a slow leak
 *   is found that much sooner: a verdict takes some 20 samples of it. What a
 *   program pays for each call that is not sampled stays the same;
 * - coarser where a target costs more than it may, and most of that is spent on
 *   samples: as long as that helps it need not be observed in windows;
 * - in windows, finest: few allocations are seen there, each at the price of a
 *   trap, so what they tell is worth a closer look.
 *
 * Included by tracer_internal.h.
 */
#ifndef TRACE_REFINE_H
#define TRACE_REFINE_H

#include <stdbool.h>
#include <stdint.h>

/* A sixteenth of the interval at the start. */
#define REFINE_MOST 16
/* Bytes between samples: beyond that a leak is found sooner in windows. */
#define REFINE_COARSEST (1u << 20)

struct refine_facts {
	uint64_t interval; /* mean bytes between samples now */
	uint64_t start;	   /* ... at the start */
	/* CPU time per time: of samples, of all probes, and allowed for these
	 * (0: any). */
	double share, cost, allowed;
	uint64_t outstanding, room; /* entries of the table of blocks */
};

/* The interval to go on with: half, twice, or the same. Never made coarser than
 * at the start. */
uint64_t refine_interval(const struct refine_facts *f);
/* For a target that costs too much: an interval that may help, or the same. */
uint64_t refine_coarser(const struct refine_facts *f);

struct refine {
	uint64_t looked_ns;	     /* 0: not yet */
	uint64_t sample_ns, cost_ns; /* spent until then */
};

struct tracee;
struct tracer;

/* Now and then. */
void tracer_refine(struct tracer *t, uint64_t now_ns);
/* A target has used up what it may cost, as its rates say. False: samples are
 * not what it is spent on, or cannot be made fewer. Logged. */
bool tracer_sample_coarser(struct tracer *t, const struct tracee *e);
/* A target begins to be observed in windows. */
void tracer_sample_for_windows(struct tracer *t);

#endif
