/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/heap_facts.h"

#include <stdio.h>

static size_t take_types(struct capture_heaps *h, const struct report *r)
{
	size_t count, left_out = 0;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_LIVE, &count);

	for (size_t i = 0; i < count; i++) {
		struct heap_type types[REPORT_HEAP_TYPES];
		size_t n = 0;

		if (stacks[i]->source == STACK_SOURCE_V8_HEAP)
			n = r->v8->types(r->v8->context, stacks[i]->id, types);
		for (size_t k = 0; k < n; k++) {
			struct capture_type *t = &h->types[h->type_count];

			if (h->type_count == CAPTURE_TYPES_MAX) {
				left_out++;
				continue;
			}
			t->stack = stacks[i]->id;
			t->type = types[k];
			h->type_count++;
		}
	}
	return left_out;
}

size_t heap_facts_take(struct capture_heaps *h, const struct report *r)
{
	size_t left_out = 0;

	if (!r->v8)
		return 0;
	h->present = true;
	h->survived = r->v8->survived;
	snprintf(h->refused, sizeof(h->refused), "%s",
		 r->v8->refused ? r->v8->refused : "");
	for (size_t i = 0;
	     i < r->v8->heap_count && h->heap_count < CAPTURE_HEAPS_MAX; i++)
		h->heaps[h->heap_count++] = r->v8->heaps[i];
	left_out += r->v8->heap_count - h->heap_count;
	if (r->v8->types)
		left_out += take_types(h, r);
	h->promoted_bytes = r->v8->promoted_bytes;
	for (size_t i = 0; i < r->v8->promoted_count; i++)
		h->promoted[h->promoted_count++] = r->v8->promoted[i];
	return left_out;
}

static size_t types_of(void *context, uint32_t stack,
		       struct heap_type out[REPORT_HEAP_TYPES])
{
	const struct capture_heaps *h = ((struct heap_facts *)context)->from;
	size_t n = 0;

	for (uint32_t i = 0; i < h->type_count && n < REPORT_HEAP_TYPES; i++) {
		if (h->types[i].stack == stack)
			out[n++] = h->types[i].type;
	}
	return n;
}

const struct report_v8 *heap_facts_show(struct heap_facts *f,
					const struct capture_heaps *from)
{
	if (!from->present)
		return NULL;
	f->from = from;
	f->report = (struct report_v8){
		.heaps = from->heaps,
		.heap_count = from->heap_count,
		.survived = from->survived,
		.refused = from->refused[0] ? from->refused : NULL,
		.types = types_of,
		.context = f,
		.promoted_bytes = from->promoted_bytes,
		.promoted_count = from->promoted_count,
	};
	for (uint32_t i = 0; i < from->promoted_count; i++)
		f->report.promoted[i] = from->promoted[i];
	return &f->report;
}
