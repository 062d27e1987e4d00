/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/snapshot.h"

static void code_status(struct codec *c, struct tracer_status *s)
{
	uint32_t link = (uint32_t)s->link;

	code_u64(c, (uint64_t *)&s->sampling.interval_bytes);
	code_u32(c, &s->sampling.variance_shift);
	code_u64(c, &s->outstanding);
	code_u64(c, &s->outstanding_max);
	code_u32(c, &s->stacks);
	code_u32(c, &s->stacks_max);
	code_u64(c, &s->kernel_memory_bytes);
	code_u32(c, &s->coarsened);
	code_u32(c, &link);
	code_u64(c, &s->overhead_ns);
	code_u32(c, &s->objects_without_cfi);
	code_u32(c, &s->objects_unreadable);
	code_u64(c, &s->regions_lost);
	s->link = (enum link_kind)link;
}

static void code_cohorts(struct codec *c, struct cohort_layout *l)
{
	code_u32(c, &l->count);
	if (l->count > COHORTS) {
		c->in.failed = true;
		l->count = 0;
	}
	for (uint32_t i = 0; i < l->count; i++) {
		code_u64(c, (uint64_t *)&l->start_ns[i]);
		code_u32(c, &l->slot[i]);
	}
}

static void code_targets(struct codec *c, struct capture_snapshot *s)
{
	uint64_t there = s->target_count;

	code_u64(c, &there);
	for (uint64_t i = 0; i < there && !c->in.failed; i++) {
		struct capture_target dropped = {0};
		struct capture_target *t =
			i < s->target_count ? &s->targets[i] : &dropped;

		code_bool(c, &t->alive);
		code_u64(c, &t->memory.rss_bytes);
		code_u64(c, &t->memory.rss_anon_bytes);
		code_u64(c, &t->memory.vm_bytes);
	}
}

void code_snapshot(struct codec *c, struct capture_snapshot *s)
{
	code_u64(c, &s->elapsed_ns);
	code_bool(c, &s->final);
	code_status(c, &s->status);
	code_cohorts(c, &s->cohorts);
	code_list(c, s->counters, COUNTER_COUNT);
	code_u64(c, &s->dead_sites);
	code_u32(c, &s->objects_given_up);
	code_u64(c, &s->resident_bytes);
	code_u64(c, &s->limit_bytes);
	code_u64(c, &s->limit_used_bytes);
	code_u32(c, &s->collections);
	code_targets(c, s);
}
