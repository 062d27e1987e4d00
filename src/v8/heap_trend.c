// SPDX-License-Identifier: GPL-2.0-only
#include "v8/heap_trend.h"

#include <stdlib.h>

#define PAIRS_MAX (HEAP_TREND_POINTS * (HEAP_TREND_POINTS + 1) / 2)

static void halve(struct heap_trend *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->count; i += 2)
		t->points[kept++] = t->points[i];
	t->count = kept;
	t->stride = (t->stride ? t->stride : 1) * 2;
}

void heap_trend_add(struct heap_trend *t, double seconds, double bytes)
{
	uint64_t stride = t->stride ? t->stride : 1;

	t->last = (struct heap_trend_point){seconds, bytes};
	if (t->collections++ % stride)
		return;
	t->points[t->count++] = t->last;
	if (t->count == HEAP_TREND_POINTS)
		halve(t);
}

double heap_trend_time(const struct heap_trend *t, unsigned back)
{
	size_t i = t->count;

	if (!t->collections)
		return -1;
	if (!back)
		return t->last.seconds;
	/* The last collection may be a point, too. */
	if (i && !(t->points[i - 1].seconds < t->last.seconds))
		i--;
	return i >= back ? t->points[i - back].seconds : -1;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void add_slope(double *slopes, size_t *count,
		      const struct heap_trend_point *a,
		      const struct heap_trend_point *b)
{
	if (b->seconds > a->seconds)
		slopes[(*count)++] =
			(b->bytes - a->bytes) / (b->seconds - a->seconds);
}

bool heap_trend_rate(const struct heap_trend *t, double *rate)
{
	double slopes[PAIRS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < t->count; i++) {
		for (size_t j = i + 1; j < t->count; j++)
			add_slope(slopes, &n, &t->points[i], &t->points[j]);
		add_slope(slopes, &n, &t->points[i], &t->last);
	}
	if (!n)
		return false;
	qsort(slopes, n, sizeof(slopes[0]), compare);
	*rate = 60 * (n % 2 ? slopes[n / 2]
			    : (slopes[n / 2 - 1] + slopes[n / 2]) / 2);
	return true;
}
