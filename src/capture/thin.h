/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Fewer snapshots of a long time: the gap between those kept grows with the
 * square root of their age, so that the last quarter of the time keeps half of
 * them (as in profile/series.h).
 */
#ifndef CAPTURE_THIN_H
#define CAPTURE_THIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "capture/names_writer.h"

/* Chooses about `most` of `count` moments, which ascend; the first and the last
 * stay. Returns how many are kept. */
size_t thin_choose(const uint64_t *elapsed_ns, size_t count, size_t most,
		   bool *keep);

struct thinned {
	size_t snapshots;
	struct names_writer names; /* in the new file */
};

/* Copies a capture with the snapshots that are to be kept, about `most`, and
 * the names that these need. 0 or -errno. */
int thin_copy(FILE *in, FILE *out, size_t most, struct thinned *made);

#endif
