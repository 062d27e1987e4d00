/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far a target has come: its own CPU time, without what its probes cost.
 * And what they do cost where they are: calibrated on a function of our own,
 * a hit is cheaper than in a program whose caches it spoils. Pure arithmetic.
 */
#ifndef BUDGET_PROGRESS_H
#define BUDGET_PROGRESS_H

#include <stdbool.h>

/* What was counted over some time; CPU times in ns. */
struct progress_sample {
	double cpu_ns; /* of the whole process */
	double wall_ns;
	double alloc_ns;  /* probes on allocations, as calibrated */
	double return_ns; /* ... of that, on the returns of what is sampled */
	double free_ns;	  /* probes on frees, as calibrated */
	double sample_ns; /* taking samples, as measured in place */
	double other_ns;  /* other probes, as calibrated */
	double frees;	  /* hits */
};

void progress_add(struct progress_sample *sum,
		  const struct progress_sample *more);
/* `factor`: what a hit costs there, in calibrated costs. */
double progress_overhead_ns(const struct progress_sample *s, double factor);
double progress_ns(const struct progress_sample *s, double factor);

/*
 * What a hit costs there, from times with probes on allocations and frees and
 * times with those on frees only: between two frees the program does the same
 * in both, so what the former take longer is what probes on allocations cost.
 * Older ones count less and less; the usual factor until enough has been seen.
 */
struct progress_comparison {
	struct progress_sample both, frees;
	double windows; /* so many were compared */
};

void progress_compare(struct progress_comparison *c,
		      const struct progress_sample *both,
		      const struct progress_sample *frees);
double progress_factor(const struct progress_comparison *c);
/* Own progress in a births part, by its frees and by what lies between two of
 * them on average over the last windows: less is left to chance than in what
 * remains of its own CPU time. */
double progress_seen(const struct progress_comparison *c,
		     const struct progress_sample *births);
/* How far off that may be, as a share of it (standard deviation): what probes
 * cost is known only so well, and may be most of what it is taken off from. */
double progress_error(const struct progress_comparison *c);
/* Frees per time in births parts, of those in frees parts, where there are
 * fewer probes; at most 1. */
double progress_pace(const struct progress_comparison *c);
/* In frees parts it has time to spare, so frees come as they do outside. */
bool progress_has_spare(const struct progress_comparison *c);

#endif
