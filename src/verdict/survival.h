/* SPDX-License-Identifier: GPL-2.0-only */
/* How long what is allocated lives, from the live bytes by time of birth and
 * from what was allocated and freed when. */
#ifndef VERDICT_SURVIVAL_H
#define VERDICT_SURVIVAL_H

#include "verdict/verdict.h"

/* Bytes allocated until then, interpolated. */
double allocated_until(const struct verdict_input *in, double seconds);
/* Live bytes that were born in [from, to), interpolated. */
double live_born_between(const struct verdict_input *in, double from,
			 double to);

/*
 * Where most blocks are freed soon and some never, growth drowns in the coming
 * and going of the others, but not what outlives them.
 */
struct survivors {
	double edge;	/* born before that, seconds since attach */
	double samples; /* that still live: what the rate rests on */
	/* Bytes per second, with its 95 % interval. */
	double rate, low, high;
	/* The older of them, against the younger, per second of births: 1 when
	 * none goes any more; and its standard error. */
	double steady, steady_error;
	unsigned cohorts, cohorts_kept; /* those with half the mean or more */
};
/* What is older than many times `lifetime`, that of what is freed. False: too
 * little of it for a rate. */
bool survivors_find(const struct verdict_input *in, double lifetime,
		    struct survivors *out);

/* Fills in survival, ages, lifetimes and late_share of a verdict. */
void survival_fill(const struct verdict_input *in, struct verdict *out);

#endif
