/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>

#include "base/poisson.h"
#include "verdict/leak.h"
#include "verdict/survival.h"

/* Level: what growth could be at most changes it by less than that share; and
 * what grows for certain, by less than that. */
#define LEVEL_SHARE   0.4
#define GROWING_SHARE 0.1
/* Nothing new: at most that share of all came in the second half. */
#define LATE_SHARE 0.05
/* Falls count that take away at least that share of the height, and exceed
 * what a number of blocks varies by: that many times its square root. */
#define FALL_SHARE  0.3
#define FALL_ERRORS 4.5

const char *verdict_name(enum verdict_kind kind)
{
	static const char *const names[] = {
		[VERDICT_UNKNOWN] = "unclear",	 [VERDICT_LEAK] = "leak",
		[VERDICT_PLATEAU] = "plateau",	 [VERDICT_STARTUP] = "start-up",
		[VERDICT_SAWTOOTH] = "sawtooth",
	};

	return names[kind];
}

/* ---- What else? -------------------------------------------------------------
 */

static double mean_live(const struct window *w)
{
	double sum = 0;

	for (size_t i = 0; i < w->count; i++)
		sum += w->points[i].live;
	return sum / (double)w->count;
}

static bool is_level(const struct window *half)
{
	double live = mean_live(half);
	double most = half->growth.high * half->seconds;

	return most <= GROWING_SHARE * live ||
	       (half->growth.low <= 0 && most <= LEVEL_SHARE * live);
}

/* Its level goes up and down, or is not known well (observation windows). But a
 * leak would have left more than is there of what was born long ago. */
static bool is_turned_over(const struct verdict_input *in,
			   const struct window *half, struct verdict *out)
{
	double edge = now_of(in) / 2, weight = in->bytes_per_sample;
	double low, high, most;

	if (out->doubt != DOUBT_NOISE || !in->cohort_count || !(weight > 0))
		return false;
	poisson_limits(live_born_between(in, 0, edge) / weight, &low, &high);
	most = high * weight / edge;
	if (most * half->seconds > LEVEL_SHARE * mean_live(half))
		return false;
	out->growth.high = fmin(out->growth.high, 60 * most);
	out->growth.value = fmin(out->growth.value, out->growth.high);
	out->growth.low = fmin(out->growth.low, out->growth.value);
	return true;
}

static void find_other(const struct verdict_input *in,
		       const struct shape *shape, const struct window *half,
		       struct verdict *out)
{
	/* Blocks that live for a moment only are no batches. */
	bool batches = shape->drops >= 2 && out->freed_lifetime_seconds > 1;

	if (batches)
		out->kind = VERDICT_SAWTOOTH;
	else if (out->late_share <= LATE_SHARE && !shape->drops &&
		 out->late_share >= 0)
		out->kind = VERDICT_STARTUP;
	else if (half->count >= GROWTH_POINTS_MIN &&
		 (is_level(half) || is_turned_over(in, half, out)))
		out->kind = VERDICT_PLATEAU;
	if (out->kind != VERDICT_UNKNOWN)
		out->doubt = DOUBT_NONE;
}

/* ---- What would settle it ---------------------------------------------------
 */

/* The deviate that a leak has to exceed. */
static double needed_z(const struct verdict_input *in)
{
	double tests = tests_of(in);
	double low = 0, high = 40;

	for (int i = 0; i < 60; i++) {
		double middle = (low + high) / 2;

		if (normal_tail(middle) * tests > FALSE_ALARMS)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Sampling is the limit when growth cannot be told apart from zero for want of
 * samples, not because of what the program does. */
static bool limited_by_sampling(const struct verdict_input *in,
				const struct window *all)
{
	double z = needed_z(in), n;

	if (!(in->sample_bytes > 0))
		return in->samples < VERDICT_SAMPLES_MIN;
	n = all->growth.rate * all->seconds / in->sample_bytes;
	return in->samples < VERDICT_SAMPLES_MIN || (n > 0 && n < z * z + 1);
}

static void settle(const struct verdict_input *in, const struct shape *shape,
		   const struct window *all, struct verdict *out)
{
	double now = now_of(in), z = needed_z(in), n, more;

	switch (out->doubt) {
	case DOUBT_TIME:
		out->settle_seconds = VERDICT_SECONDS_MIN;
		break;
	case DOUBT_SAMPLES:
		n = fmax(in->samples, 1);
		more = fmax((z * z + 1) / n, 2);
		out->settle_seconds = now * more;
		out->settle_sample_bytes = in->sample_bytes / more;
		break;
	case DOUBT_DROPPED:
		out->settle_seconds =
			shape->last_drop + 2 * shape->longest_rise;
		break;
	case DOUBT_NOISE:
	case DOUBT_SLOWING:
	case DOUBT_TURNOVER:
		out->settle_seconds = 2 * now;
		break;
	case DOUBT_NONE:
	case DOUBT_WINDOWS: /* these are told of what has been judged */
	case DOUBT_UNSEEN:
		break;
	case DOUBT_COLLECTIONS:
		out->settle_seconds = 0; /* nobody knows when they come */
		break;
	}
	out->detectable = z * all->growth.error;
	if (now > 0)
		out->detectable =
			fmax(out->detectable, z * z * in->sample_bytes / now);
	out->detectable *= 60;
}

static double least_fall(const struct verdict_input *in)
{
	double high = 0;

	for (size_t i = 0; i < in->count; i++)
		high = fmax(high, in->points[i].high);
	return fmax(FALL_SHARE * high,
		    FALL_ERRORS * sqrt(high * in->bytes_per_sample));
}

/* What a collection has looked at is older than it seems. */
static double least_seconds(const struct verdict_input *in)
{
	return in->collected ? VERDICT_SECONDS_MIN / 2 : VERDICT_SECONDS_MIN;
}

void verdict_judge(const struct verdict_input *in, struct verdict *out)
{
	struct window all, half;
	struct shape shape;

	*out = (struct verdict){.survival = -1,
				.surely_live = -1,
				.survival_seconds = -1,
				.freed_lifetime_seconds = -1,
				.mean_age_seconds = -1,
				.late_share = -1,
				.doubt = DOUBT_TIME,
				.settle_seconds = VERDICT_SECONDS_MIN};
	if (in->collected && in->collections < VERDICT_COLLECTIONS_MIN)
		out->doubt = DOUBT_COLLECTIONS;
	if (!in->count)
		return;
	out->by_births = in->collected;
	out->collections = in->collections;
	shape_of(in->points, in->count, least_fall(in), &shape);
	out->drops = shape.drops;
	out->low = shape.low;
	out->high = shape.high;
	survival_fill(in, out);
	all = window_between(in, 0, now_of(in));
	half = window_between(in, now_of(in) / 2, now_of(in));
	set_growth(&half, out);
	if (in->collected && in->collections < VERDICT_COLLECTIONS_MIN)
		out->doubt = DOUBT_COLLECTIONS;
	else if (now_of(in) < least_seconds(in) ||
		 in->count < GROWTH_POINTS_MIN)
		out->doubt = in->collected ? DOUBT_COLLECTIONS : DOUBT_TIME;
	else if (in->samples < VERDICT_SAMPLES_MIN)
		out->doubt = DOUBT_SAMPLES;
	else if (!find_leak(in, &shape, out) && !survivors_leak(in, out))
		find_other(in, &shape, &half, out);
	if (out->kind == VERDICT_UNKNOWN && out->doubt == DOUBT_NOISE &&
	    limited_by_sampling(in, &all))
		out->doubt = DOUBT_SAMPLES;
	if (out->kind != VERDICT_LEAK)
		settle(in, &shape, &all, out);
}
