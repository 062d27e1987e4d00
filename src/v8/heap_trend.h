/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How much of a heap is live, collection by collection: the size after a full
 * collection is what the program holds, without garbage. In a fixed number of
 * points: when they are used up, every other one is dropped and from then on
 * every second collection is noted, and so on; the last one always is.
 */
#ifndef V8_HEAP_TREND_H
#define V8_HEAP_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HEAP_TREND_POINTS 64

struct heap_trend {
	uint64_t collections; /* seen */
	uint64_t stride;      /* collections per point; 0 as 1 */
	size_t count;
	struct heap_trend_point {
		double seconds; /* since attach */
		double bytes;	/* live */
	} points[HEAP_TREND_POINTS];
	struct heap_trend_point last;
};

/* After a full collection. Times do not decrease. */
void heap_trend_add(struct heap_trend *t, double seconds, double bytes);

/* When the `back`-th collection before the last one was, or one before that;
 * negative: not known. */
double heap_trend_time(const struct heap_trend *t, unsigned back);

/* Bytes per minute: the median of the slopes between all pairs of points
 * (Theil-Sen), which a single collection at a bad moment does not move. False:
 * fewer than two collections. */
bool heap_trend_rate(const struct heap_trend *t, double *rate);

#endif
