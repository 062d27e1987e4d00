/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How fast does a series grow? The model is a level that drifts at a constant
 * rate, walks at random besides, and is seen with noise:
 *
 *     increment_i = rate * dt_i + walk_i + noise_i - noise_(i-1)
 *
 * The walk is what sampling does to a leak (errors add up) and what bursts do;
 * the noise is what short-lived blocks do (errors do not add up). Both
 * variances are estimated from the increments, and the rate is their weighted
 * mean with the smallest variance (generalized least squares). For pure noise
 * that is ordinary regression, for a pure walk the difference of the ends.
 */
#ifndef VERDICT_GROWTH_H
#define VERDICT_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"

/* All rates in bytes per second. */
struct growth {
	double rate;
	double low, high; /* 95 % */
	double error;	  /* standard error: half of that without the tails */
	/* The same without what bursts add, and a bend looks like a burst. */
	double steady_error;
	double z;	/* rate against 0, as a normal deviate */
	double seconds; /* from first to last point */
};

/* Points needed: below that `growth_estimate` says nothing (zeroes). */
#define GROWTH_POINTS_MIN 4

/* `sample_bytes`: mean bytes per sample, 0: every block. */
void growth_estimate(const struct series_point *points, size_t count,
		     double sample_bytes, struct growth *out);

/* Over the last `seconds`, as bytes per minute. True when it grows for certain,
 * and notably. */
bool growth_notable(const struct series_point *points, size_t count,
		    double seconds, double sample_bytes, struct estimate *out);

/* The slope of Theil and Sen: the median of those between any two points. At
 * most SERIES_POINTS of them. Slow: O(n^2 log n). */
double growth_median(const struct series_point *points, size_t count);

/* Upper quantile of Student's distribution: 97.5 %. Within 1 % from 2 degrees
 * of freedom on. */
double student_975(double freedom);
/* The normal deviate that is as improbable as `t` is (Wallace 1959). */
double student_to_normal(double t, double freedom);
/* Probability of a normal deviate of at least z. */
double normal_tail(double z);

#endif
