/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intervals for Horvitz-Thompson estimates of sampled totals. The samples are
 * taken with P = 1 - exp(-size/R); R = 0 means every block was recorded.
 */
#ifndef PROFILE_ESTIMATE_H
#define PROFILE_ESTIMATE_H

#include <stdint.h>

#include "profile/profile.h"

/* What an estimate is made from; sums over the samples it rests on. */
struct estimate_sums {
	double samples;
	double bytes;		 /* size/P */
	double objects;		 /* 1/P */
	double bytes_variance;	 /* (1-P)(size/P)^2, bytes^2 */
	double objects_variance; /* (1-P)/P^2, object^2 */
	/* What windows make uncertain besides (struct stack_stats): by chance,
	 * bytes^2; and what all have in common, bytes. */
	double windows_variance;
	double windows_error;
};

/*
 * Bytes: a sample's variance is at most R^2, so variance / R^2 is the number of
 * samples that were a matter of chance, each standing for R bytes. The limits
 * are theirs; samples taken with certainty add no uncertainty. Holds for any
 * mixture of sizes. Some samples may have been taken more coarsely than at
 * `interval`, which holds now: they stand for more bytes each, and then the
 * mean weight by bytes (variance / bytes, which never exceeds R otherwise) is
 * the larger one and is taken instead.
 */
struct estimate estimate_bytes(const struct estimate_sums *s,
			       uint64_t interval);

/*
 * Objects: limits of a Poisson count with the same relative variance, scaled by
 * the mean weight (Fay and Feuer 1997, intervals for weighted sums of
 * Poissons). Good when the blocks of a stack are of similar size, as they
 * mostly are. Where sizes on one stack differ a hundredfold it is too narrow
 * (it covered the truth in 43 to 90 % of the cases in tests instead of 95), and
 * when there are blocks so small that none of them was sampled, no interval can
 * know of them.
 */
struct estimate estimate_objects(const struct estimate_sums *s);

#endif
