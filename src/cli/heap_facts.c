/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/heap_facts.h"

#include <stdio.h>
#include <string.h>

_Static_assert(sizeof(((struct report_heap_type *)0)->name) ==
		       CAPTURE_TYPE_NAME_MAX,
	       "names are copied as they are");

static void take_heap(struct capture_heap *to, const struct report_heap *from)
{
	*to = (struct capture_heap){
		.pid = (uint32_t)from->pid,
		.tid = (uint32_t)from->tid,
		.scavenges = from->scavenges,
		.full_gcs = from->full_gcs,
		.scavenge_seconds = from->scavenge_seconds,
		.full_gc_seconds = from->full_gc_seconds,
		.following_seconds = from->following_seconds,
		.live = from->live,
		.live_seconds_ago = from->live_seconds_ago,
		.growth_per_minute = from->growth_per_minute,
		.growth_known = from->growth_known,
	};
}

static void take_types(struct capture_heaps *h, const struct report *r)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);

	for (size_t i = 0; i < count; i++) {
		struct report_heap_type types[REPORT_HEAP_TYPES];
		size_t n = 0;

		if (stacks[i]->source == STACK_SOURCE_V8_HEAP)
			n = r->v8->types(r->v8->context, stacks[i]->id, types);
		for (size_t k = 0; k < n; k++) {
			struct capture_type *t = &h->types[h->type_count];

			if (h->type_count == CAPTURE_TYPES_MAX)
				return;
			t->stack = stacks[i]->id;
			t->share = types[k].share;
			memcpy(t->name, types[k].name, sizeof(t->name));
			h->type_count++;
		}
	}
}

void heap_facts_take(struct capture_heaps *h, const struct report *r)
{
	if (!r->v8)
		return;
	h->present = true;
	h->survived = r->v8->survived;
	snprintf(h->refused, sizeof(h->refused), "%s",
		 r->v8->refused ? r->v8->refused : "");
	for (size_t i = 0;
	     i < r->v8->heap_count && h->heap_count < CAPTURE_HEAPS_MAX; i++)
		take_heap(&h->heaps[h->heap_count++], &r->v8->heaps[i]);
	if (r->v8->types)
		take_types(h, r);
}

static size_t types_of(void *context, uint32_t stack,
		       struct report_heap_type out[REPORT_HEAP_TYPES])
{
	const struct capture_heaps *h = ((struct heap_facts *)context)->from;
	size_t n = 0;

	for (uint32_t i = 0; i < h->type_count && n < REPORT_HEAP_TYPES; i++) {
		if (h->types[i].stack != stack)
			continue;
		out[n].share = h->types[i].share;
		memcpy(out[n].name, h->types[i].name, sizeof(out[n].name));
		n++;
	}
	return n;
}

static void show_heap(struct report_heap *to, const struct capture_heap *from)
{
	*to = (struct report_heap){
		.pid = (pid_t)from->pid,
		.tid = (pid_t)from->tid,
		.scavenges = from->scavenges,
		.full_gcs = from->full_gcs,
		.scavenge_seconds = from->scavenge_seconds,
		.full_gc_seconds = from->full_gc_seconds,
		.following_seconds = from->following_seconds,
		.live = from->live,
		.live_seconds_ago = from->live_seconds_ago,
		.growth_per_minute = from->growth_per_minute,
		.growth_known = from->growth_known,
	};
}

const struct report_v8 *heap_facts_show(struct heap_facts *f,
					const struct capture_heaps *from)
{
	if (!from->present)
		return NULL;
	f->from = from;
	for (uint32_t i = 0; i < from->heap_count; i++)
		show_heap(&f->heaps[i], &from->heaps[i]);
	f->report = (struct report_v8){
		.heaps = f->heaps,
		.heap_count = from->heap_count,
		.survived = from->survived,
		.refused = from->refused[0] ? from->refused : NULL,
		.types = types_of,
		.context = f,
	};
	return &f->report;
}
