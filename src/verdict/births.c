/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/births.h"

#include <math.h>

size_t births_history(const struct series_cohort *cohorts, size_t count,
		      double settled_seconds, double bytes_per_sample,
		      struct series_point *out)
{
	double live = 0;
	size_t n = 0;

	if (!count || !(cohorts[0].from < settled_seconds))
		return 0;
	out[n++] = (struct series_point){.seconds = cohorts[0].from};
	for (size_t i = 0; i < count; i++) {
		const struct series_cohort *c = &cohorts[i];

		if (c->from >= settled_seconds)
			break;
		live += c->live;
		out[n++] = (struct series_point){
			.seconds = fmin(c->to, settled_seconds),
			.live = live,
			.low = live,
			.high = live,
			.variance = live * bytes_per_sample,
			.allocated = live,
		};
	}
	return n;
}
