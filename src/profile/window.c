/* SPDX-License-Identifier: GPL-2.0-only */
/* The snapshots that growth over the window is measured from. */
#include <string.h>

#include "profile/profile_internal.h"

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* The remembered point that is nearest to the start of the window. */
size_t window_base(const struct profile *p)
{
	const struct profile_snapshot *s = &p->snapshot;
	double elapsed = (double)(s->now_ns - s->attached_ns);
	double window = s->window_seconds * 1e9;
	uint64_t start, best;
	size_t base = p->points;

	if (!(window > 0) || window >= elapsed)
		return base;
	start = s->now_ns - (uint64_t)window;
	best = distance(start, s->attached_ns);
	for (size_t i = 0; i < p->points; i++) {
		if (distance(start, p->times[i]) > best)
			continue;
		best = distance(start, p->times[i]);
		base = i;
	}
	return base;
}

static void drop_point(struct profile *p, size_t at)
{
	size_t after = p->points - at - 1;

	memmove(&p->times[at], &p->times[at + 1], after * sizeof(p->times[0]));
	for (size_t i = 0; i < p->count; i++) {
		float *live = p->list[i]->live;

		memmove(&live[at], &live[at + 1], after * sizeof(live[0]));
	}
	p->points--;
}

/* Windows only move on: what is before this one's start is not needed again. */
void window_move(struct profile *p)
{
	if (!(p->snapshot.window_seconds > 0)) {
		p->points = 0;
		p->base = 0;
	}
	if (p->base < p->points)
		for (; p->base > 0; p->base--)
			drop_point(p, 0);
}

/* Where the current snapshot is remembered. Points are spread over the window:
 * the last one gives way when it is too close to the one before. */
size_t window_place(struct profile *p)
{
	double gap = p->snapshot.window_seconds * 1e9 / (POINTS - 4);
	size_t n = p->points;

	if (n >= 2 && (double)(p->times[n - 1] - p->times[n - 2]) < gap)
		return n - 1;
	if (n == POINTS)
		drop_point(p, 0); /* the window has become longer */
	return p->points++;
}

double window_seconds(const struct profile *p)
{
	uint64_t start = p->base < p->points ? p->times[p->base]
					     : p->snapshot.attached_ns;

	return p->snapshot.now_ns > start
		       ? (double)(p->snapshot.now_ns - start) / 1e9
		       : 0;
}
