/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/cohorts.h"

#include <string.h>

/* One slot always is free, or being emptied by a merge. */
#define COHORTS_IN_USE (COHORTS - 1)

void cohorts_init(struct cohorts *c, uint64_t now_ns)
{
	memset(c, 0, sizeof(*c));
	c->origin_ns = now_ns;
	c->layout.count = 1;
	c->slots_used = 1;
	c->readable = c->layout;
}

uint32_t cohort_index(const struct cohort_layout *l, uint64_t birth_ns)
{
	uint32_t i = l->count < COHORTS ? l->count : COHORTS;

	while (i > 1 && l->start_ns[i - 1] > birth_ns)
		i--;
	return i ? i - 1 : 0;
}

static uint64_t start_of(const struct cohorts *c, uint32_t index)
{
	return index ? c->layout.start_ns[index] : c->origin_ns;
}

static uint32_t take_free_slot(struct cohorts *c)
{
	uint32_t slot = (uint32_t)__builtin_ctz(~c->slots_used);

	c->slots_used |= 1u << slot;
	return slot;
}

static void append_cohort(struct cohorts *c, uint64_t start_ns)
{
	uint32_t i = c->layout.count++;

	c->layout.start_ns[i] = start_ns;
	c->layout.slot[i] = take_free_slot(c);
}

/*
 * The first of the two neighbours to merge: those whose union is narrowest
 * relative to its age. A union wider than the cohort before it is not
 * considered, so that widths only ever grow with age.
 */
static uint32_t choose_merge(const struct cohorts *c, uint64_t now_ns)
{
	uint32_t best = 0;
	double best_ratio = 0;

	for (uint32_t i = 0; i + 2 < c->layout.count; i++) {
		uint64_t start = start_of(c, i);
		uint64_t end = start_of(c, i + 2);
		double young = end < now_ns ? (double)(now_ns - end) : 0;
		double old = start < now_ns ? (double)(now_ns - start) : 0;
		double ratio =
			(old + COHORT_WIDTH_NS) / (young + COHORT_WIDTH_NS);

		if (i && end - start > start - start_of(c, i - 1))
			continue;
		if (i == 0 || ratio < best_ratio) {
			best = i;
			best_ratio = ratio;
		}
	}
	return best;
}

static void begin_merge(struct cohorts *c, uint32_t older, uint64_t now_ns)
{
	struct cohort_layout *l = &c->layout;
	uint32_t moved = l->count - older - 2;

	/* The older one gives way: it is the one where less is happening. */
	c->merge.from = l->slot[older];
	c->merge.into = l->slot[older + 1];
	c->merging = true;
	c->merge_from_ns = now_ns + COHORT_GRACE_NS;
	l->slot[older] = c->merge.into;
	memmove(&l->start_ns[older + 1], &l->start_ns[older + 2],
		moved * sizeof(l->start_ns[0]));
	memmove(&l->slot[older + 1], &l->slot[older + 2],
		moved * sizeof(l->slot[0]));
	l->count--;
	l->start_ns[l->count] = 0;
	l->slot[l->count] = 0;
}

bool cohorts_advance(struct cohorts *c, uint64_t now_ns)
{
	uint64_t start = now_ns + COHORT_GRACE_NS;

	if (c->merging ||
	    start < start_of(c, c->layout.count - 1) + COHORT_WIDTH_NS)
		return false;
	append_cohort(c, start);
	c->readable = c->layout;
	if (c->layout.count > COHORTS_IN_USE)
		begin_merge(c, choose_merge(c, now_ns), now_ns);
	return true;
}

bool cohorts_merge_due(const struct cohorts *c, uint64_t now_ns,
		       struct cohort_merge *merge)
{
	if (!c->merging || now_ns < c->merge_from_ns)
		return false;
	*merge = c->merge;
	return true;
}

void cohorts_merge_done(struct cohorts *c)
{
	if (!c->merging)
		return;
	c->slots_used &= ~(1u << c->merge.from);
	c->merging = false;
	c->readable = c->layout;
}
