/* SPDX-License-Identifier: GPL-2.0-only */
/* What is mapped by each stack, and since when. */
#include <string.h>

#include "trace/cohorts.h"
#include "trace/regions_internal.h"

struct region_stack *region_stack_find(const struct regions *r, uint32_t id)
{
	uint32_t at;

	return stack_table_get(&r->index, id, &at) ? &r->stacks[at] : NULL;
}

struct region_stack *region_stack_of(struct regions *r, uint32_t id,
				     uint32_t tgid)
{
	struct region_stack *s = region_stack_find(r, id);

	if (s)
		return s;
	if (id == STACK_ID_NONE || r->stack_count == REGION_STACKS_MAX ||
	    stack_table_put(&r->index, id, (uint32_t)r->stack_count))
		return &r->stacks[0];
	s = &r->stacks[r->stack_count++];
	*s = (struct region_stack){.id = id, .tgid = tgid};
	return s;
}

/* ---- Reading ------------------------------------------------------------ */

/* Distributes the live regions to cohorts anew, if anything has changed. */
static void age(struct regions *r, const struct cohort_layout *layout)
{
	struct region_place at = {0, 0};
	struct region *region;

	if (r->aged_at == r->changes &&
	    !memcmp(layout, &r->aged_with, sizeof(*layout)))
		return;
	for (size_t i = 0; i < r->stack_count; i++) {
		struct region_stack *s = &r->stacks[i];

		memset(s->cohort_bytes, 0, sizeof(s->cohort_bytes));
		memset(s->cohort_regions, 0, sizeof(s->cohort_regions));
	}
	for (; (region = region_set_at(&r->set, at)) != NULL;
	     at = region_set_next(&r->set, at)) {
		struct region_stack *s =
			region_stack_of(r, region->stack, region->tgid);
		uint32_t i = cohort_index(layout, region->birth_ns);
		uint32_t slot = layout->slot[i] % COHORTS;

		s->cohort_bytes[slot] += (int64_t)region_size(region);
		s->cohort_regions[slot]++;
	}
	r->aged_at = r->changes;
	r->aged_with = *layout;
}

static void widen(struct stack_stats *st, const struct region_stack *s)
{
	if (!st->first_alloc_ns || s->first_alloc_ns < st->first_alloc_ns)
		st->first_alloc_ns = s->first_alloc_ns;
	if (s->last_alloc_ns > st->last_alloc_ns)
		st->last_alloc_ns = s->last_alloc_ns;
	if (s->last_free_ns > st->last_free_ns)
		st->last_free_ns = s->last_free_ns;
	if (!st->tgid)
		st->tgid = s->tgid;
}

void regions_add_stats(struct regions *r, uint32_t stack,
		       const struct cohort_layout *layout,
		       struct stack_stats *st)
{
	const struct region_stack *s = region_stack_find(r, stack);

	if (!s || !(s->live_regions + s->freed_regions))
		return;
	age(r, layout);
	st->alloc_samples += s->live_regions + s->freed_regions;
	st->freed_samples += s->freed_regions;
	st->alloc_bytes += s->live_bytes + s->freed_bytes;
	st->freed_bytes += s->freed_bytes;
	st->alloc_objects_q8 += (s->live_regions + s->freed_regions) << 8;
	st->freed_objects_q8 += s->freed_regions << 8;
	for (uint32_t i = 0; i < COHORTS; i++) {
		st->cohort_bytes[i] += s->cohort_bytes[i];
		st->cohort_objects_q8[i] += s->cohort_regions[i] * 256;
	}
	widen(st, s);
}

bool regions_uses_stack(const struct regions *r, uint32_t stack)
{
	const struct region_stack *s = region_stack_find(r, stack);

	return s && s->live_regions;
}

void regions_forget_stack(struct regions *r, uint32_t stack)
{
	struct region_stack *s = region_stack_find(r, stack);

	if (!s || s->live_regions || s == &r->stacks[0])
		return;
	*s = r->stacks[--r->stack_count];
	stack_table_clear(&r->index);
	/* Fewer than before: no memory is needed, so it cannot fail. */
	for (size_t i = 0; i < r->stack_count; i++)
		stack_table_put(&r->index, r->stacks[i].id, (uint32_t)i);
}

uint64_t regions_live_bytes(const struct regions *r, uint32_t tgid)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < r->stack_count; i++)
		if (r->stacks[i].tgid == tgid)
			sum += r->stacks[i].live_bytes;
	return sum;
}

void regions_stats(const struct regions *r, struct regions_stats *out)
{
	*out = (struct regions_stats){
		.live = r->set.count,
		.lost = r->lost,
		.malformed = r->malformed,
	};
	for (size_t i = 0; i < r->stack_count; i++)
		out->live_bytes += r->stacks[i].live_bytes;
}

void regions_each(const struct regions *r,
		  void (*each)(const struct region *region, void *context),
		  void *context)
{
	struct region_place at = {0, 0};
	const struct region *region;

	for (; (region = region_set_at(&r->set, at)) != NULL;
	     at = region_set_next(&r->set, at))
		each(region, context);
}
