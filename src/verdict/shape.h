/* SPDX-License-Identifier: GPL-2.0-only */
/* The shape of a series: its falls, and whether its lowest levels rise. */
#ifndef VERDICT_SHAPE_H
#define VERDICT_SHAPE_H

#include <stddef.h>

#include "profile/series.h"

struct shape {
	double low, high; /* from the first point on */
	unsigned drops;	  /* falls by at least 40 % of the range */
	/* The longest time without such a fall that ended with one. */
	double longest_rise;
	double last_drop; /* when, seconds since attach; 0: never */
};

/* `noise`: falls smaller than that do not count, bytes. */
void shape_of(const struct series_point *points, size_t count, double noise,
	      struct shape *out);

/* Cuts the time of the points into `parts` equal ones, and counts in how many
 * of them, after the first, the lowest level is above that of the part
 * before. A part without points counts as one that did not rise. */
unsigned parts_risen(const struct series_point *points, size_t count,
		     unsigned parts);

#endif
