/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of regions.h share: the set of regions, and totals by stack.
 */
#ifndef TRACE_REGIONS_INTERNAL_H
#define TRACE_REGIONS_INTERNAL_H

#include "base/stack_table.h"
#include "trace/region_set.h"
#include "trace/region_undo.h"
#include "trace/regions.h"

/* Stacks told apart; what comes beyond is booked to STACK_ID_OVERFLOW. */
#define REGION_STACKS_MAX 4096

/* Totals of one stack. Allocated = live + freed. */
struct region_stack {
	uint32_t id;
	uint32_t tgid;
	uint64_t live_bytes, live_regions;
	uint64_t freed_bytes, freed_regions;
	uint64_t first_alloc_ns, last_alloc_ns, last_free_ns;
	int64_t cohort_bytes[COHORTS]; /* as of aged_at */
	int64_t cohort_regions[COHORTS];
};

struct regions {
	struct region_set set;
	struct region_undo undo;
	struct region_stack *stacks;
	size_t stack_count;
	struct stack_table index; /* stack id -> position in stacks */
	uint64_t page;
	uint64_t serial;
	uint64_t now_ns; /* of the event being applied */
	uint64_t lost, malformed;
	/* The cohort_* arrays are of this state and layout. */
	uint64_t changes, aged_at;
	struct cohort_layout aged_with;
};

/* NULL: it has none. */
struct region_stack *region_stack_find(const struct regions *r, uint32_t id);
/* Never NULL: the overflow entry when there is no room. */
struct region_stack *region_stack_of(struct regions *r, uint32_t id,
				     uint32_t tgid);

static inline uint64_t region_size(const struct region *region)
{
	return region->end - region->start;
}

#endif
