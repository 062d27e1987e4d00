/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/leak.h"

#include <math.h>

#include "verdict/survival.h"

/* Of the parts of the window, so many must rise; and there must be some. */
#define PARTS_RISEN 0.75
#define PARTS_MIN   4
#define PARTS_MAX   12
/* Of an even share of the births that survived, a group must hold that. */
#define GROUP_SHARE 0.3
/* Groups are few: what is old lies in long ones. */
#define GROUPS_MIN 3
/* Samples to be expected in a part of the births. */
#define GROUP_SAMPLES 8
/* Growth slows when it is below that share of what it was before, and the
 * difference exceeds that many standard errors. */
#define SLOWING_SHARE  0.8
#define SLOWING_ERRORS 2.0
/* Of the growth, that share must consist of blocks that are old. */
#define SURVIVORS 0.5
/* As good as nothing is freed: of what was allocated at most that. */
#define NOTHING_SHARE 0.05
/* Much: that share of what was allocated; long: 5 lifetimes. */
#define FREED_SHARE    0.2
#define LIFETIME_SHARE 0.2
/* The median slope must be that share of the mean: else it was a jump. */
#define MEDIAN_SHARE 0.33
/* What survives is steady: per second of births, the older against the
 * younger. */
#define STEADY_MIN 0.6
#define STEADY_MAX 1.5

struct window window_between(const struct verdict_input *in, double from,
			     double to)
{
	struct window w = {.points = in->points};
	size_t first = 0, end = in->count;

	while (first + 1 < end && in->points[first + 1].seconds <= from)
		first++;
	while (end > first && in->points[end - 1].seconds > to)
		end--;
	w.points = in->points + first;
	w.count = end - first;
	if (w.count < 2)
		return w;
	w.seconds = w.points[w.count - 1].seconds - w.points[0].seconds;
	growth_estimate(w.points, w.count, in->sample_bytes, &w.growth);
	return w;
}

/* What was allocated in the window, and which share of it was freed. */
static double freed_share(const struct window *w, double *allocated)
{
	const struct series_point *first = &w->points[0];
	const struct series_point *last = &w->points[w->count - 1];

	*allocated = last->allocated - first->allocated;
	return *allocated > 0 ? (last->freed - first->freed) / *allocated : 0;
}

/*
 * The chance to see such growth somewhere when there is none anywhere. Where
 * nothing is freed the level need not be told apart from its own ups and downs:
 * each sample that came and did not go is evidence, however they are spread.
 */
static double chance(const struct verdict_input *in, const struct window *w)
{
	double tests = tests_of(in);
	double z = w->growth.z, allocated, samples;

	if (freed_share(w, &allocated) < NOTHING_SHARE &&
	    in->bytes_per_sample > 0) {
		samples = allocated / in->bytes_per_sample;
		z = fmax(z, samples / sqrt(samples + 1));
	}
	return fmin(normal_tail(z) * tests, 1);
}

/* `errors`: by how many standard errors it must be slower; negative: it is not
 * if it is faster by as many. */
static bool is_slower(const struct growth *now, const struct growth *before,
		      double errors)
{
	double error = hypot(now->steady_error, before->steady_error);
	double lack = before->rate - now->rate;

	if (errors < 0)
		return SLOWING_SHARE * before->rate - now->rate >
		       errors * error;
	return now->rate < SLOWING_SHARE * before->rate &&
	       lack > errors * error;
}

/*
 * Than in the first half of the window. A window that does not reach back to
 * attach was chosen because it grows: it must be clearly no slower than as
 * long a time before it.
 */
static bool is_slowing(const struct verdict_input *in, const struct window *w)
{
	double now = now_of(in), from = w->points[0].seconds;
	double middle = (from + now) / 2;
	struct window first = window_between(in, from, middle);
	struct window second = window_between(in, middle, now);
	struct window before;

	if (is_slower(&second.growth, &first.growth, SLOWING_ERRORS))
		return true;
	if (w->points == in->points)
		return false;
	before = window_between(in, from - w->seconds, from);
	return is_slower(&w->growth, &before.growth, -1);
}

/*
 * Births come in groups, the older the longer. A part is as many of them as
 * make it no chance whether it holds its share of what survived, and rises when
 * it does.
 */
static void count_births(const struct verdict_input *in, const struct window *w,
			 struct verdict *out)
{
	double all = w->growth.rate * w->seconds;
	double least = fmin(GROUP_SAMPLES * in->bytes_per_sample,
			    all / (GROUPS_MIN + 1));
	const struct series_point *a = &w->points[0];

	for (size_t i = 1; i < w->count; i++) {
		const struct series_point *b = &w->points[i];
		double even = w->growth.rate * (b->seconds - a->seconds);

		if (even < least)
			continue;
		out->parts++;
		out->parts_grown += b->live - a->live >= GROUP_SHARE * even;
		a = b;
	}
}

/* As many parts as there are points and (new) samples for. */
static void count_parts(const struct verdict_input *in, const struct window *w,
			struct verdict *out)
{
	double live = w->points[w->count - 1].live;
	double new_share = fmin(w->growth.rate * w->seconds / live, 1);
	double parts = fmin(PARTS_MAX, (double)(w->count - 1) / 2);

	if (in->collected) {
		count_births(in, w, out);
		return;
	}
	parts = fmin(parts, in->samples * new_share / 3);
	if (!(parts >= 2))
		return;
	out->parts = (unsigned)parts - 1;
	out->parts_grown = parts_risen(w->points, w->count, (unsigned)parts);
}

/*
 * Most of the growth is there to stay: it was born in the first three quarters
 * of the window and lives. And where much is freed, the window is long against
 * its lifetimes: else the level wanders slowly, and a part of that looks like
 * growth.
 */
static bool blocks_stay(const struct verdict_input *in, const struct window *w,
			double lifetime)
{
	double from = w->points[0].seconds;
	double edge = from + 0.75 * w->seconds;
	double rate = live_born_between(in, from, edge) / (edge - from);
	double allocated;

	if (freed_share(w, &allocated) > FREED_SHARE &&
	    lifetime > w->seconds * LIFETIME_SHARE)
		return false;
	return !in->cohort_count || rate >= SURVIVORS * w->growth.rate;
}

/* DOUBT_NONE: it leaks. */
static enum verdict_doubt leaks(const struct verdict_input *in,
				const struct shape *shape,
				const struct window *w, struct verdict *out)
{
	double median;

	out->parts = out->parts_grown = 0;
	if (!(w->growth.rate > 0) || chance(in, w) > FALSE_ALARMS)
		return DOUBT_NOISE;
	if (shape->drops && w->seconds < 2 * shape->longest_rise)
		return DOUBT_DROPPED;
	if (is_slowing(in, w))
		return DOUBT_SLOWING;
	if (!blocks_stay(in, w, out->freed_lifetime_seconds))
		return DOUBT_TURNOVER;
	count_parts(in, w, out);
	if (out->parts < (in->collected ? GROUPS_MIN : PARTS_MIN) ||
	    out->parts_grown < PARTS_RISEN * out->parts)
		return DOUBT_NOISE;
	median = growth_median(w->points, w->count);
	out->robust_growth = 60 * median;
	return median >= MEDIAN_SHARE * w->growth.rate ? DOUBT_NONE
						       : DOUBT_NOISE;
}

void set_growth(const struct window *w, struct verdict *out)
{
	out->growth = (struct estimate){
		.value = 60 * w->growth.rate,
		.low = 60 * w->growth.low,
		.high = 60 * w->growth.high,
	};
	out->window_seconds = w->seconds;
}

/*
 * The chance that what has lived so far goes on to: rule of succession, over
 * the parts that rose. What has outlived a single collection has shown less.
 */
static double persistence(const struct verdict_input *in, unsigned parts,
			  unsigned risen)
{
	double share = (double)(risen + 1) / (parts + 2);

	if (in->collected && in->collections == 1)
		share = fmin(share, (1.0 + 1) / (1 + 2));
	return share;
}

bool find_leak(const struct verdict_input *in, const struct shape *shape,
	       struct verdict *out)
{
	double now = now_of(in), share = 1;

	out->doubt = DOUBT_NONE;
	for (int i = 0; i < WINDOWS; i++, share /= 2) {
		struct window w = window_between(in, now * (1 - share), now);
		enum verdict_doubt doubt;

		if (w.count < GROWTH_POINTS_MIN ||
		    w.seconds < VERDICT_SECONDS_MIN / 2)
			break;
		doubt = leaks(in, shape, &w, out);
		if (doubt == DOUBT_NONE) {
			out->kind = VERDICT_LEAK;
			out->doubt = DOUBT_NONE;
			out->confidence =
				(1 - chance(in, &w)) *
				persistence(in, out->parts, out->parts_grown);
			set_growth(&w, out);
			return true;
		}
		if (out->doubt == DOUBT_NONE || out->doubt == DOUBT_NOISE)
			out->doubt = doubt;
	}
	return false;
}

bool survivors_leak(const struct verdict_input *in, struct verdict *out)
{
	double now = now_of(in);
	double tests = tests_of(in);
	struct survivors s;
	double p;

	if (out->drops || out->freed_lifetime_seconds < 0 ||
	    !survivors_find(in, out->freed_lifetime_seconds, &s))
		return false;
	p = normal_tail(s.samples / sqrt(s.samples + 1)) * tests;
	if (p > FALSE_ALARMS || s.steady - s.steady_error < STEADY_MIN ||
	    s.steady > STEADY_MAX || s.cohorts_kept < PARTS_RISEN * s.cohorts ||
	    !s.cohorts)
		return false;
	*out = (struct verdict){
		.kind = VERDICT_LEAK,
		.by_survivors = true,
		.surely_live = -1,
		.growth = {60 * s.rate, 60 * s.low, 60 * s.high},
		.window_seconds = now,
		.parts = s.cohorts,
		.parts_grown = s.cohorts_kept,
		.low = out->low,
		.high = out->high,
		.late_share = out->late_share,
		.mean_age_seconds = out->mean_age_seconds,
		.freed_lifetime_seconds = out->freed_lifetime_seconds};
	out->survival_seconds = now - s.edge;
	out->survival = s.rate * s.edge / allocated_until(in, s.edge);
	out->robust_growth = out->growth.value;
	out->confidence = (1 - p) * (s.cohorts_kept + 1) / (s.cohorts + 2);
	return true;
}
