/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/survival.h"

#include <math.h>

#include "base/poisson.h"

/* Survival is told of what is older than this share of the time watched: the
 * blocks have had their chance to be freed. */
#define MATURE_SHARE 0.25

/* Of what is freed after a mean life, e^-6 is left after that many. */
#define LIFETIMES 6

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

/* ---- What outlives the rest
 * -------------------------------------------------- */

static double per_second(const struct verdict_input *in, double from, double to)
{
	return live_born_between(in, from, to) / (to - from);
}

/* The border between two cohorts that is nearest to the middle; 0: none. */
static double middle_border(const struct verdict_input *in, double edge)
{
	double best = 0;

	for (size_t i = 1; i < in->cohort_count; i++) {
		double at = in->cohorts[i].from;

		if (at < edge && fabs(at - edge / 2) < fabs(best - edge / 2))
			best = at;
	}
	return best;
}

static void count_cohorts(const struct verdict_input *in, struct survivors *s)
{
	for (size_t i = 0; i < in->cohort_count; i++) {
		const struct series_cohort *c = &in->cohorts[i];

		if (c->to > s->edge)
			break;
		s->cohorts++;
		s->cohorts_kept +=
			per_second(in, c->from, c->to) >= s->rate / 2;
	}
}

bool survivors_find(const struct verdict_input *in, double lifetime,
		    struct survivors *s)
{
	double now = in->points[in->count - 1].seconds;
	double middle, older, younger, weight = in->bytes_per_sample;
	double low, high;

	*s = (struct survivors){.edge = now - LIFETIMES * lifetime};
	middle = middle_border(in, s->edge);
	if (s->edge < now / 2 || !(weight > 0) || !(middle > 0))
		return false;
	older = live_born_between(in, 0, middle) / weight;
	younger = live_born_between(in, middle, s->edge) / weight;
	if (!(older >= 1) || !(younger >= 1))
		return false;
	s->samples = older + younger;
	s->rate = s->samples * weight / s->edge;
	poisson_limits(s->samples, &low, &high);
	s->low = low * weight / s->edge;
	s->high = high * weight / s->edge;
	s->steady = older / middle / (younger / (s->edge - middle));
	s->steady_error = s->steady * sqrt(1 / older + 1 / younger);
	count_cohorts(in, s);
	return true;
}

/* ---- Reasons
 * ----------------------------------------------------------------- */

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
