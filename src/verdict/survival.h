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

/* Fills in survival, ages, lifetimes and late_share of a verdict. */
void survival_fill(const struct verdict_input *in, struct verdict *out);

#endif
