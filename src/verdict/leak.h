/* SPDX-License-Identifier: GPL-2.0-only */
/* Does it leak? The tests that growth has to pass: docs/verdicts.md. */
#ifndef VERDICT_LEAK_H
#define VERDICT_LEAK_H

#include "verdict/growth.h"
#include "verdict/shape.h"
#include "verdict/verdict.h"

/* Chance that any of the stacks judged together is called a leak without any
 * growth behind it. */
#define FALSE_ALARMS 0.01
/* A leak is looked for in all of the time, its last half and its last quarter:
 * it may have begun late, or after a start. */
#define WINDOWS 3

/* A part of a series that ends now. */
struct window {
	const struct series_point *points;
	size_t count;
	double seconds;
	struct growth growth;
};

static inline double now_of(const struct verdict_input *in)
{
	return in->points[in->count - 1].seconds;
}

/* The points from `from` to `to`, seconds since attach; one more in front, from
 * which the first step is taken. */
struct window window_between(const struct verdict_input *in, double from,
			     double to);

/* How many times chance is given a chance: all stacks, in all windows. */
static inline double tests_of(const struct verdict_input *in)
{
	return WINDOWS * (double)(in->tested ? in->tested : 1);
}

/* Growth of a window as the growth of the verdict. */
void set_growth(const struct window *w, struct verdict *out);

/* True and the verdict when it leaks; else the doubt is that about all of the
 * time. */
bool find_leak(const struct verdict_input *in, const struct shape *shape,
	       struct verdict *out);

/*
 * A leak among blocks that are freed soon: what is older than these live. It
 * must not become less with age, or it is only a slower way to go; and not be
 * of the start only.
 */
bool survivors_leak(const struct verdict_input *in, struct verdict *out);

#endif
