/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The past of a figure in a fixed number of points: 48 of them reach back to
 * attach, after a minute as after a week. When there is no room for another
 * one, two neighbours become one, where that costs least: the gap between
 * points grows with the square root of their age, so that a quarter of the time
 * watched keeps half of the points.
 *
 * All series of a profile share their times, so a point costs a stack 24 bytes.
 */
#ifndef PROFILE_SERIES_H
#define PROFILE_SERIES_H

#include <stddef.h>

#define SERIES_POINTS 48

/* One moment, as it is handed out: seconds since attach, bytes. */
struct series_point {
	double seconds;
	double live;	  /* then */
	double low, high; /* least and most since the point before */
	double variance;  /* of `live`, from sampling, bytes^2 */
	double allocated; /* since attach */
	double freed;	  /* since attach */
};

/* Live bytes by time of birth. */
struct series_cohort {
	double from, to; /* born between, seconds since attach */
	double live;	 /* now, bytes */
};

/* ---- Storage ------------------------------------------------------------ */

struct series_times {
	size_t count;
	float seconds[SERIES_POINTS];
};

/* Of one stack. Zeroes: nothing was live. */
struct series {
	float live[SERIES_POINTS];
	float low[SERIES_POINTS];
	float high[SERIES_POINTS];
	float variance[SERIES_POINTS];
	float allocated[SERIES_POINTS]; /* since the point before */
	float freed[SERIES_POINTS];
};

#define SERIES_NO_POINT ((size_t)-1)

/* Which point is to be merged into its successor before one at `seconds` is
 * added, or SERIES_NO_POINT. For all series alike; then series_times_add. */
size_t series_crowded(const struct series_times *t, double seconds);
/* `crowded` as returned by series_crowded. The new point is the last. */
void series_times_add(struct series_times *t, size_t crowded, double seconds);

/* The same for the values; `count`: points before. `now` has totals since
 * attach; `before`: the totals of the last point. */
void series_add(struct series *s, size_t count, size_t crowded,
		const struct series_point *now,
		const struct series_point *before);
/* Adds another series' values, point by point; the extremes between points are
 * those of the sums, if both moved at the same time. */
void series_sum(struct series *s, const struct series *other, size_t count);
/* Writes `count` points, oldest first. */
void series_read(const struct series *s, const struct series_times *t,
		 struct series_point *out);

#endif
