/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/snapshot.h"

#include <math.h>
#include <string.h>

/* A later version may know of more kinds. */
static void code_shortfalls(struct codec *c, uint64_t counts[JS_SHORTFALLS])
{
	uint64_t there = JS_SHORTFALLS;

	code_u64(c, &there);
	for (uint64_t i = 0; i < there && !c->in.failed; i++) {
		uint64_t unknown;

		code_u64(c, i < JS_SHORTFALLS ? &counts[i] : &unknown);
	}
}

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
	code_u64(c, &s->js_dropped);
	code_shortfalls(c, s->js_shortfalls);
	s->link = (enum link_kind)link;
}

/* By name: counters come and go with versions. */
static const char *const counter_names[COUNTER_COUNT] = {
#define X(id, text) [COUNTER_##id] = #id,
	COUNTERS_WORK(X) COUNTERS_LOSS(X)
#undef X
#define X(id, text) [COUNTER_STACK_END + STACK_END_##id] = "END_" #id,
		STACK_END_REASONS(X)
#undef X
};

static void take_counter(struct codec *c, uint64_t counters[COUNTER_COUNT])
{
	const char *name = NULL;
	uint64_t value = 0;
	size_t size = 0;

	code_bytes(c, &name, &size);
	code_u64(c, &value);
	for (int i = 0; i < COUNTER_COUNT && !c->in.failed; i++)
		if (strlen(counter_names[i]) == size &&
		    !memcmp(counter_names[i], name, size))
			counters[i] = value;
}

static void code_counters(struct codec *c, uint64_t counters[COUNTER_COUNT])
{
	uint64_t there = COUNTER_COUNT;

	code_u64(c, &there);
	for (uint64_t i = 0; i < there && !c->in.failed; i++) {
		const char *name = c->out ? counter_names[i] : NULL;
		size_t size = name ? strlen(name) : 0;

		if (c->out) {
			code_bytes(c, &name, &size);
			code_u64(c, &counters[i]);
		} else {
			take_counter(c, counters);
		}
	}
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

enum { TARGET_ENDED, TARGET_ALIVE, TARGET_GONE };

static void code_state(struct codec *c, struct capture_target *t)
{
	uint64_t state = t->gone    ? TARGET_GONE
			 : t->alive ? TARGET_ALIVE
				    : TARGET_ENDED;

	code_u64(c, &state);
	t->alive = state == TARGET_ALIVE;
	t->gone = state == TARGET_GONE;
}

static void code_targets(struct codec *c, struct capture_snapshot *s)
{
	uint64_t there = s->target_count;

	code_u64(c, &there);
	for (uint64_t i = 0; i < there && !c->in.failed; i++) {
		struct capture_target dropped = {0};
		struct capture_target *t =
			i < s->target_count ? &s->targets[i] : &dropped;

		code_state(c, t);
		code_u64(c, &t->memory.rss_bytes);
		code_u64(c, &t->memory.rss_anon_bytes);
		code_u64(c, &t->memory.vm_bytes);
	}
}

#define PARTS 1e9 /* shares are kept in billionths */

/* Captures of before have none of it: all was observed. */
static void code_windows(struct codec *c, struct tracer_status *s)
{
	uint64_t unobserved = (uint64_t)((1 - s->observed_share) * PARTS);
	uint64_t limit = (uint64_t)(s->max_overhead * PARTS);

	if (!c->out && !cursor_left(&c->in)) {
		s->observed_share = 1;
		return;
	}
	code_u64(c, &unobserved);
	code_u64(c, &s->windows);
	code_u64(c, &limit);
	s->observed_share = 1 - fmin((double)unobserved / PARTS, 1);
	s->max_overhead = (double)limit / PARTS;
}

static void code_programs(struct codec *c, struct capture_snapshot *s)
{
	uint64_t own_samplers = s->status.own_samplers;
	uint64_t page_targets = s->status.page_targets;

	code_following(c, &s->following);
	code_go(c, &s->go);
	code_u64(c, &own_samplers);
	code_u64(c, &page_targets);
	code_u64(c, &s->status.objects_lost);
	code_u64(c, &s->unwatched_seconds);
	code_u64(c, &s->own_resident_bytes);
	code_double(c, &s->own_cpu_seconds);
	s->status.own_samplers = own_samplers;
	s->status.page_targets = page_targets;
}

void code_snapshot(struct codec *c, struct capture_snapshot *s)
{
	code_u64(c, &s->elapsed_ns);
	code_bool(c, &s->final);
	code_status(c, &s->status);
	code_cohorts(c, &s->cohorts);
	code_counters(c, s->counters);
	code_u64(c, &s->dead_sites);
	code_u32(c, &s->objects_given_up);
	code_u64(c, &s->resident_bytes);
	code_u64(c, &s->limit_bytes);
	code_u64(c, &s->limit_used_bytes);
	code_bool(c, &s->limit_is_group);
	code_u32(c, &s->collections);
	code_u64(c, &s->settled_ns);
	code_targets(c, s);
	code_heaps(c, &s->heaps);
	code_windows(c, &s->status);
	/* Captures of before have none of it. */
	if (c->out || cursor_left(&c->in))
		code_u64(c, &s->status.large_blocks);
	if (c->out || cursor_left(&c->in))
		code_programs(c, s);
	if (c->out || cursor_left(&c->in))
		code_u64(c, &s->status.beside);
	if (c->out || cursor_left(&c->in))
		code_u64(c, &s->status.unwind_rows_lost);
	if (c->out || cursor_left(&c->in))
		code_u64(c, &s->status.js_incomplete);
	code_sampled_shares(c, &s->heaps);
	if (c->out || cursor_left(&c->in))
		code_u64(c, &s->left_out);
}
