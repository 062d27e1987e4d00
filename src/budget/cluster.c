// SPDX-License-Identifier: GPL-2.0-only
#include "budget/cluster.h"

#include <math.h>

void cluster_add_time(struct cluster_times *t, double seconds)
{
	t->count++;
	t->seconds += seconds;
	t->squares += seconds * seconds;
}

void cluster_add(struct cluster_sums *s, double bytes, double seconds)
{
	s->bytes += bytes;
	s->squares += bytes * bytes;
	s->products += bytes * seconds;
}

double cluster_variance(const struct cluster_sums *s,
			const struct cluster_times *t)
{
	double n = (double)t->count, rate, residual;

	if (t->count < 2 || !(t->seconds > 0))
		return s->bytes * s->bytes;
	rate = s->bytes / t->seconds;
	residual =
		s->squares - 2 * rate * s->products + rate * rate * t->squares;
	return fmax(residual, 0) * n / (n - 1);
}
