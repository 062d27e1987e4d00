/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of this folder share. */
#ifndef PROFILE_INTERNAL_H
#define PROFILE_INTERNAL_H

#include "base/stack_table.h"
#include "profile/estimate.h"
#include "profile/profile.h"

/* Snapshots remembered to measure growth over the window with. All stacks share
 * their times, so that one costs a stack no more than a float. */
#define POINTS 64

/* A series, and what was allocated and freed as of its last point. */
struct history {
	struct series series;
	double allocated, freed;
};

struct entry {
	struct profile_stack view;
	uint64_t index_key;
	uint64_t first_alloc_ns;
	struct estimate_sums sums;
	bool seen; /* in the current snapshot */
	float live[POINTS];
	float births[COHORTS];	 /* live bytes by cohort */
	float settled[COHORTS];	 /* the same, as of profile_settle */
	struct series_point now; /* of any age */
	struct history history;
	uint64_t frames[];
};

struct profile {
	struct profile_snapshot snapshot;
	struct cohort_layout cohorts;
	/* As of profile_settle: when, of what, and with which cohorts. */
	uint64_t settled_ns;
	double settled_seconds;
	struct series_cohort settled[COHORTS];
	size_t settled_count;
	uint64_t times[POINTS]; /* of the snapshots before the current one */
	size_t points;
	size_t base; /* the window starts at this point; `points`: at attach */
	struct entry **list;
	size_t count, capacity;
	struct stack_table index; /* id -> position in list */
	const struct profile_stack **sorted;
	struct profile_totals totals;
	struct estimate_sums total_sums;
	uint32_t selected; /* process; 0: all */
	struct series_times history_times;
	struct series_point total_now;
	struct history total, resident;
	bool resident_known;
};

static inline double seconds_before(uint64_t now_ns, uint64_t then_ns)
{
	return then_ns < now_ns ? (double)(now_ns - then_ns) / 1e9 : 0;
}

/* The point nearest to the start of the window; `points`: attach is. */
size_t window_base(const struct profile *p);
/* Drops the points before it: windows only move on. */
void window_move(struct profile *p);
/* Where the current snapshot is to be remembered. */
size_t window_place(struct profile *p);
/* From its base to the current snapshot. */
double window_seconds(const struct profile *p);

/* What is live of a stack, of blocks that are old enough for the snapshot. */
struct live_sums {
	struct estimate_sums sums;
	double mean_age_seconds;
	double oldest_seconds;
};
void live_sum(const struct profile *p, const struct stack_stats *st,
	      struct live_sums *out);

/* The live counters of a stack, of blocks of any age: kept for history. */
void history_note(struct profile *p, struct entry *e,
		  const struct stack_stats *stats);
/* Appends what was noted to all series. */
void history_add(struct profile *p);

#endif
