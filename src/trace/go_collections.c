// SPDX-License-Identifier: GPL-2.0-only
#include "trace/go_collections.h"

#include <stdbool.h>

#include "trace/kept_share.h"

void go_collection_begun(struct go_collections *c, uint64_t ns)
{
	/* Twice where a stack was too small: the first is meant. */
	if (c->begun_ns && c->ended_ns < c->begun_ns)
		return;
	c->settled_ns = c->begun_ns;
	c->begun_ns = ns;
}

void go_collection_ended(struct go_collections *c, uint64_t ns)
{
	if (c->ended_ns <= c->begun_ns)
		c->count++;
	c->ended_ns = ns;
}

uint64_t go_settled_ns(const struct go_collections *c, uint64_t now_ns)
{
	if (c->begun_ns && c->ended_ns > c->begun_ns &&
	    now_ns > c->ended_ns + GO_SWEEP_NS)
		return c->begun_ns;
	return c->settled_ns;
}

/* Shares of the live figures that are kept. */
struct kept {
	double bytes, objects;
};

static struct kept drop_young(struct stack_stats *s,
			      const struct cohort_layout *l, uint64_t settled)
{
	double bytes = 0, objects = 0, young_bytes = 0, young_objects = 0;

	for (uint32_t i = 0; i < l->count && i < COHORTS; i++) {
		uint32_t slot = l->slot[i] % COHORTS;
		bool old = i + 1 < l->count && l->start_ns[i + 1] <= settled;

		bytes += (double)s->cohort_bytes[slot];
		objects += (double)s->cohort_objects_q8[slot];
		if (old)
			continue;
		young_bytes += (double)s->cohort_bytes[slot];
		young_objects += (double)s->cohort_objects_q8[slot];
		s->freed_bytes += (uint64_t)s->cohort_bytes[slot];
		s->freed_objects_q8 += (uint64_t)s->cohort_objects_q8[slot];
		s->cohort_bytes[slot] = s->cohort_objects_q8[slot] = 0;
	}
	return (struct kept){
		.bytes = bytes > 0 ? 1 - young_bytes / bytes : 0,
		.objects = objects > 0 ? 1 - young_objects / objects : 0,
	};
}

void go_settle(struct stack_stats *s, const struct cohort_layout *cohorts,
	       uint64_t settled_ns)
{
	struct kept kept;

	if (s->last_alloc_ns < settled_ns)
		return;
	kept = drop_young(s, cohorts, settled_ns);
	stack_stats_keep(s, kept.bytes, kept.objects);
}
