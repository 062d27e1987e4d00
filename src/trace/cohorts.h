/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which birth times share a cohort (struct cohort_layout, leakbpf/abi.h), over
 * hours, in COHORTS slots: new cohorts are COHORT_WIDTH_NS wide, and old
 * neighbours are merged, so that widths grow with age and the relative
 * resolution of an age stays even.
 *
 * Resolution: (age of a cohort's old end) / (age of its young end + one new
 * cohort) stays below 2.1 in the first 20 minutes, 3.1 in 4 hours, 4.5 in 48
 * hours. So the middle of a cohort is off by at most 1/3, 1/2, 2/3 of itself.
 *
 * Logic only. The owner publishes the layout to the BPF programs and moves
 * counts between slots:
 *
 *     if (cohorts_advance(&c, now))
 *             publish(&c.layout);
 *     if (cohorts_merge_due(&c, now, &merge)) {
 *             for every stack: move what is left in merge.from to merge.into,
 *                              with atomic exchange and add;
 *             cohorts_merge_done(&c);
 *     }
 *
 * A program that is running when a layout is published goes on with the one
 * before it for at most COHORT_GRACE_NS. Therefore
 *   - a new cohort starts that much after the layout with it is published:
 *     births before that belong to the same cohort in either layout;
 *   - when two cohorts merge, the new layout maps the births of both to
 *     merge.into at once; what was or still is booked in merge.from is moved
 *     only after the grace period, and merge.from is reused only after that.
 */
#ifndef TRACE_COHORTS_H
#define TRACE_COHORTS_H

#include <stdbool.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"

#define COHORT_WIDTH_NS 2000000000ULL
#define COHORT_GRACE_NS 250000000ULL

struct cohort_merge {
	uint32_t from; /* slots */
	uint32_t into;
};

struct cohorts {
	/* To be published. Its first cohort starts at 0: it also takes births
	 * before cohorts_init. */
	struct cohort_layout layout;
	/* To read the counts with: the same, but as long as a merge has not
	 * been done both its cohorts are listed, so that no slot with counts
	 * in it is missing. */
	struct cohort_layout readable;
	/* Private. */
	uint64_t origin_ns;
	uint32_t slots_used; /* bit mask; includes merge.from until done */
	bool merging;
	struct cohort_merge merge;
	uint64_t merge_from_ns;
};

void cohorts_init(struct cohorts *c, uint64_t now_ns);

/* To be called about every second. True when `layout` has changed and is to be
 * published now. Changes nothing while a merge is not done. */
bool cohorts_advance(struct cohorts *c, uint64_t now_ns);

/* True when the grace period of a merge is over: move the counts, then call
 * cohorts_merge_done. */
bool cohorts_merge_due(const struct cohorts *c, uint64_t now_ns,
		       struct cohort_merge *merge);
void cohorts_merge_done(struct cohorts *c);

/* Index (not slot) of the cohort that holds a birth. The BPF programs must find
 * the same one: the last that starts at or before it, else the first. */
uint32_t cohort_index(const struct cohort_layout *l, uint64_t birth_ns);

#endif
