/* SPDX-License-Identifier: GPL-2.0-only */
#include "verdict/shape.h"

#include <math.h>
#include <stdbool.h>

#define DROP_SHARE 0.4
#define PARTS_MAX  32

/* ---- Falls ------------------------------------------------------------------
 */

struct walk {
	double peak; /* since the last fall */
	double bottom;
	bool falling;
	double size; /* what counts as a fall */
	double rising_since;
	struct shape *shape;
};

/* One level that was passed. A fall is counted once it is deep enough; the next
 * can only begin after a rise as high. */
static void pass(struct walk *w, double level, double seconds)
{
	struct shape *s = w->shape;

	if (w->falling) {
		w->bottom = fmin(w->bottom, level);
		if (level - w->bottom < w->size)
			return;
		w->falling = false;
		w->peak = level;
		return;
	}
	w->peak = fmax(w->peak, level);
	if (w->peak - level < w->size)
		return;
	s->drops++;
	s->longest_rise = fmax(s->longest_rise, seconds - w->rising_since);
	s->last_drop = seconds;
	w->rising_since = seconds;
	w->falling = true;
	w->bottom = level;
}

void shape_of(const struct series_point *points, size_t count, double noise,
	      struct shape *out)
{
	struct walk w = {.shape = out};

	*out = (struct shape){0};
	if (!count)
		return;
	out->low = points[0].low;
	for (size_t i = 0; i < count; i++) {
		out->low = fmin(out->low, points[i].low);
		out->high = fmax(out->high, points[i].high);
	}
	w.size = fmax(DROP_SHARE * (out->high - out->low), noise);
	if (!(w.size > 0))
		return;
	w.peak = points[0].live;
	for (size_t i = 1; i < count; i++) {
		const struct series_point *p = &points[i];
		bool up = points[i - 1].live <= p->live;

		/* In which order it passed its extremes is not known: the one
		 * with less of a fall. */
		pass(&w, up ? p->low : p->high, p->seconds);
		pass(&w, up ? p->high : p->low, p->seconds);
		pass(&w, p->live, p->seconds);
	}
}

/* ---- Rising levels ----------------------------------------------------------
 */

unsigned parts_risen(const struct series_point *points, size_t count,
		     unsigned parts)
{
	double lowest[PARTS_MAX], start, length;
	unsigned risen = 0;

	if (count < 2 || parts < 2 || parts > PARTS_MAX)
		return 0;
	for (unsigned i = 0; i < parts; i++)
		lowest[i] = NAN;
	start = points[0].seconds;
	length = points[count - 1].seconds - start;
	/* The first point only says where it starts: its extremes are older. */
	lowest[0] = points[0].live;
	for (size_t i = 1; i < count; i++) {
		double part = (points[i].seconds - start) / length * parts;
		unsigned at = part < parts ? (unsigned)part : parts - 1;

		lowest[at] = fmin(lowest[at], points[i].low);
	}
	for (unsigned i = 1; i < parts; i++)
		risen += lowest[i] > lowest[i - 1];
	return risen;
}
