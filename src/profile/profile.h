/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Profile: what user space knows of every stack. A snapshot per interval, the
 * growth between them, estimates with 95 % intervals. No I/O, no BPF: it is fed
 * plain counters, so that it is tested with made-up ones.
 */
#ifndef PROFILE_PROFILE_H
#define PROFILE_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "profile/series.h"

/* low..high holds the truth in 95 of 100 cases; how: estimate.h. With few
 * samples it is not symmetric; low = high when nothing was left to chance. */
struct estimate {
	double value;
	double low;
	double high;
};

struct profile_stack {
	uint32_t id;
	uint32_t tgid;
	uint32_t depth;
	uint32_t end;		/* enum stack_end */
	uint32_t source;	/* enum stack_source */
	const uint64_t *frames; /* leaf first; owned by the profile */
	uint64_t samples;	/* live samples the estimates rest on */
	struct estimate live_bytes;
	struct estimate live_objects;
	uint64_t alloc_samples; /* since attach */
	double alloc_bytes;
	double alloc_objects;
	double freed_bytes;
	double growth_bytes_per_minute; /* over the window, see profile_update
					 */
	double growth_bytes;		/* over the window */
	double surely_live_bytes;	/* struct stack_stats */
	double windows_error_bytes;	/* struct stack_stats */
	double mean_age_seconds;	/* of live bytes, from the cohorts */
	double oldest_seconds;		/* age of the oldest live cohort */
	double first_seen_seconds;	/* since attach */
	double last_alloc_seconds;	/* ago */
};

struct profile;

struct profile *profile_new(void);
void profile_free(struct profile *p);

/*
 * One snapshot: begin, add every stack, end. `older_seconds`: live figures
 * only count blocks at least that old (whole cohorts; 0: all). Growth is taken
 * over the last `window_seconds` of snapshots (0: since attach).
 */
struct profile_snapshot {
	uint64_t now_ns; /* CLOCK_MONOTONIC */
	uint64_t attached_ns;
	double older_seconds;
	double window_seconds;
	struct sampling sampling;
	const struct cohort_layout *cohorts;
	/* Anonymous memory of all targets that is resident, bytes; 0: not
	 * known. */
	uint64_t resident_bytes;
};
/* 0, -EINVAL (malformed cohorts, time before attach), -ENOMEM; profile_add:
 * -EEXIST for an id twice in one snapshot. `f` may be NULL (no frames). An id
 * that the kernel has given to another stack since, or a stack that was not in
 * the snapshot before, starts anew with nothing live. */
int profile_begin(struct profile *p, const struct profile_snapshot *s);
int profile_add(struct profile *p, uint32_t id, const struct stack_frames *f,
		const struct stack_stats *stats);
int profile_end(struct profile *p);

/*
 * Stacks that turn out to be others, between profile_begin and the first
 * profile_add: the same with other frames, or with `from` a part of `into`, to
 * which its past is added. Unknown ids are left alone. reframe: 0 or -ENOMEM.
 */
int profile_reframe(struct profile *p, uint32_t id,
		    const struct stack_frames *f);
void profile_absorb(struct profile *p, uint32_t into, uint32_t from);

enum profile_order { PROFILE_BY_GROWTH, PROFILE_BY_LIVE, PROFILE_BY_ALLOC };
/* Sorted view of the last snapshot; valid until the next call and
 * profile_begin. Stacks with no live bytes are left out, except by what was
 * allocated. */
const struct profile_stack *const *
profile_sorted(struct profile *p, enum profile_order order, size_t *count);
/* From now on views and totals are of this process only; 0: of all. */
void profile_select(struct profile *p, uint32_t tgid);
/* Sums over all stacks of the last snapshot, but those of STACK_SOURCE_BESIDE.
 */
struct profile_totals {
	struct estimate live_bytes;
	struct estimate live_objects;
	double alloc_bytes, freed_bytes;
	double growth_bytes_per_minute;
	double live_by_source[STACK_SOURCES]; /* bytes */
	size_t stacks;
	uint32_t
		sources; /* bit 1 << enum stack_source: there are such stacks */
};
void profile_totals(const struct profile *p, struct profile_totals *out);

/* ---- The past, up to the last snapshot: series.h --------------------------
 * Each writes up to SERIES_POINTS points (COHORTS cohorts), oldest first, and
 * returns how many. They know of blocks of any age, whatever `older_seconds`.
 */
size_t profile_history(const struct profile *p, const struct profile_stack *s,
		       struct series_point *out);
/* All stacks together. */
size_t profile_total_history(const struct profile *p, struct series_point *out);
/* Resident memory as `live`; 0 when it was never known. */
size_t profile_resident_history(const struct profile *p,
				struct series_point *out);
size_t profile_births(const struct profile *p, const struct profile_stack *s,
		      struct series_cohort *out);
/*
 * Of memory whose live bytes change only when a garbage collection settles what
 * was born until `settled_seconds`: remembers the births as they are now.
 * Cohorts of old births are merged while time goes by without a collection.
 * Again with the same time soon after it does so anew: the snapshot may have
 * been taken while that collection ran.
 */
void profile_settle(struct profile *p, double settled_seconds);
size_t profile_settled_births(const struct profile *p,
			      const struct profile_stack *s,
			      struct series_cohort *out);
/* Mean bytes per sample in the last snapshot; 0: every block. */
double profile_sample_bytes(const struct profile *p);
/* From attach to the last snapshot. */
double profile_seconds(const struct profile *p);

#endif
