/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/survival.h"

#include <math.h>

/* Survival is told of what is older than this share of the time watched: the
 * blocks have had their chance to be freed. */
#define MATURE_SHARE 0.25

static double between(double at, double from, double to, double low,
		      double high)
{
	if (!(to > from))
		return high;
	return low + (high - low) * (at - from) / (to - from);
}

double allocated_until(const struct verdict_input *in, double seconds)
{
	struct series_point before = {0};

	for (size_t i = 0; i < in->count; i++) {
		const struct series_point *p = &in->points[i];

		if (p->seconds >= seconds)
			return between(seconds, before.seconds, p->seconds,
				       before.allocated, p->allocated);
		before = *p;
	}
	return before.allocated;
}

double live_born_between(const struct verdict_input *in, double from, double to)
{
	double sum = 0;

	for (size_t i = 0; i < in->cohort_count; i++) {
		const struct series_cohort *c = &in->cohorts[i];
		double start = fmax(from, c->from), end = fmin(to, c->to);

		if (end > start && c->live > 0)
			sum += c->live * (end - start) / (c->to - c->from);
	}
	return sum;
}

static void fill_survival(const struct verdict_input *in, struct verdict *out)
{
	double now = in->points[in->count - 1].seconds;
	double edge = now * (1 - MATURE_SHARE);
	double born = allocated_until(in, edge);

	out->survival = out->survival_seconds = -1;
	if (!in->cohort_count || !(born > 0))
		return;
	out->survival = fmin(live_born_between(in, 0, edge) / born, 1);
	out->survival_seconds = now - edge;
}

static double mean_age(const struct verdict_input *in)
{
	double now = in->points[in->count - 1].seconds;
	double aged = 0, live = 0;

	for (size_t i = 0; i < in->cohort_count; i++) {
		const struct series_cohort *c = &in->cohorts[i];

		if (!(c->live > 0))
			continue;
		aged += c->live * (now - (c->from + c->to) / 2);
		live += c->live;
	}
	return live > 0 ? aged / live : -1;
}

/* All blocks together have lived for the integral of live bytes over time; what
 * of it is not the life of those that still live is that of those freed. */
static double freed_lifetime(const struct verdict_input *in, double age)
{
	const struct series_point *last = &in->points[in->count - 1];
	struct series_point before = {0};
	double lived = 0;

	if (!(last->freed > 0) || (age < 0 && last->live > 0))
		return -1;
	for (size_t i = 0; i < in->count; i++) {
		const struct series_point *p = &in->points[i];

		lived += (before.live + p->live) / 2 *
			 (p->seconds - before.seconds);
		before = *p;
	}
	return fmax(lived - last->live * fmax(age, 0), 0) / last->freed;
}

void survival_fill(const struct verdict_input *in, struct verdict *out)
{
	const struct series_point *last = &in->points[in->count - 1];
	double half = allocated_until(in, last->seconds / 2);

	fill_survival(in, out);
	out->mean_age_seconds = mean_age(in);
	out->freed_lifetime_seconds = freed_lifetime(in, out->mean_age_seconds);
	out->late_share = last->allocated > 0 ? 1 - half / last->allocated : -1;
}
