/* SPDX-License-Identifier: GPL-2.0-only */
#include "profile/series.h"

#include <math.h>
#include <string.h>

/* Reports may follow a snapshot at once: that is no new moment. */
#define NEAR_SECONDS 0.2

/* How much is lost when point `at` goes: the gap that it leaves, against its
 * age. */
static double gap_without(const struct series_times *t, size_t at, double now)
{
	double before = at ? (double)t->seconds[at - 1] : 0;
	double gap = (double)t->seconds[at + 1] - before;

	return gap / sqrt(now - (double)t->seconds[at] + 1);
}

size_t series_crowded(const struct series_times *t, double seconds)
{
	size_t best = 0, n = t->count;

	if (n && seconds - (double)t->seconds[n - 1] < NEAR_SECONDS)
		return n - 1;
	if (n < SERIES_POINTS)
		return SERIES_NO_POINT;
	for (size_t i = 1; i + 1 < n; i++)
		if (gap_without(t, i, seconds) < gap_without(t, best, seconds))
			best = i;
	return best;
}

static void remove_float(float *list, size_t count, size_t at)
{
	memmove(&list[at], &list[at + 1], (count - at - 1) * sizeof(*list));
}

void series_times_add(struct series_times *t, size_t crowded, double seconds)
{
	if (crowded != SERIES_NO_POINT)
		remove_float(t->seconds, t->count--, crowded);
	t->seconds[t->count++] = (float)seconds;
}

/* Point `at` becomes a part of the one after it. */
static void merge(struct series *s, size_t count, size_t at)
{
	if (at + 1 < count) {
		s->low[at + 1] = fminf(s->low[at], s->low[at + 1]);
		s->high[at + 1] = fmaxf(s->high[at], s->high[at + 1]);
		s->allocated[at + 1] += s->allocated[at];
		s->freed[at + 1] += s->freed[at];
	}
	remove_float(s->live, count, at);
	remove_float(s->low, count, at);
	remove_float(s->high, count, at);
	remove_float(s->variance, count, at);
	remove_float(s->allocated, count, at);
	remove_float(s->freed, count, at);
}

void series_add(struct series *s, size_t count, size_t crowded,
		const struct series_point *now,
		const struct series_point *before)
{
	struct series_point p = {
		.low = now->live,
		.high = now->live,
		.allocated = now->allocated - before->allocated,
		.freed = now->freed - before->freed,
	};

	/* The last point itself goes: its part is the new one's. */
	if (crowded != SERIES_NO_POINT && crowded + 1 == count) {
		p.low = fmin(p.low, (double)s->low[crowded]);
		p.high = fmax(p.high, (double)s->high[crowded]);
		p.allocated += (double)s->allocated[crowded];
		p.freed += (double)s->freed[crowded];
	}
	if (crowded != SERIES_NO_POINT)
		merge(s, count--, crowded);
	s->live[count] = (float)now->live;
	s->low[count] = (float)p.low;
	s->high[count] = (float)p.high;
	s->variance[count] = (float)now->variance;
	s->allocated[count] = (float)p.allocated;
	s->freed[count] = (float)p.freed;
}

void series_read(const struct series *s, const struct series_times *t,
		 struct series_point *out)
{
	double allocated = 0, freed = 0;

	for (size_t i = 0; i < t->count; i++) {
		allocated += (double)s->allocated[i];
		freed += (double)s->freed[i];
		out[i] = (struct series_point){
			.seconds = (double)t->seconds[i],
			.live = (double)s->live[i],
			.low = (double)s->low[i],
			.high = (double)s->high[i],
			.variance = (double)s->variance[i],
			.allocated = allocated,
			.freed = freed,
		};
	}
}

static void sum_floats(float *to, const float *other, size_t count)
{
	for (size_t i = 0; i < count; i++)
		to[i] += other[i];
}

void series_sum(struct series *s, const struct series *other, size_t count)
{
	sum_floats(s->live, other->live, count);
	sum_floats(s->low, other->low, count);
	sum_floats(s->high, other->high, count);
	sum_floats(s->variance, other->variance, count);
	sum_floats(s->allocated, other->allocated, count);
	sum_floats(s->freed, other->freed, count);
}
