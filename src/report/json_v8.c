/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/json_v8.h"

#include "report/text_v8.h"

static void put_heap(struct json *j, const struct heap_summary *h)
{
	json_object(j, NULL);
	json_number(j, "pid", (double)h->pid);
	json_number(j, "tid", (double)h->tid);
	json_number(j, "scavenges", (double)h->scavenges);
	json_number(j, "scavenge_seconds", h->scavenge_seconds);
	json_number(j, "full_collections", (double)h->full_gcs);
	json_number(j, "full_collection_seconds", h->full_gc_seconds);
	json_number(j, "following_seconds", h->following_seconds);
	json_number(j, "following_most_seconds", h->following_most);
	json_number(j, "sampled_share", h->sampled_share);
	if (h->live > 0) {
		json_number(j, "live_bytes", h->live);
		json_number(j, "live_seconds_ago", h->live_seconds_ago);
	}
	if (h->growth_known)
		json_number(j, "growth_bytes_per_minute", h->growth_per_minute);
	if (h->external >= 0)
		json_number(j, "external_bytes", h->external);
	if (h->external_growth_known)
		json_number(j, "external_bytes_per_minute",
			    h->external_per_minute);
	json_end(j);
}

static void put_promoted(struct json *j, const struct report *r,
			 const struct heap_promoted *p)
{
	struct text place = {0};

	json_object(j, NULL);
	json_number(j, "bytes", p->bytes);
	if (text_v8_place(&place, r, p->stack) && place.data)
		json_text(j, "place", place.data);
	json_end(j);
	text_free(&place);
}

void json_put_v8(struct json *j, const struct report *r)
{
	const struct report_v8 *v = r->v8;

	if (!v)
		return;
	json_object(j, "v8");
	json_number(j, "survived_collections", v->survived);
	if (v->refused)
		json_text(j, "refused", v->refused);
	json_array(j, "heaps");
	for (size_t i = 0; i < v->heap_count; i++)
		put_heap(j, &v->heaps[i]);
	json_end(j);
	json_number(j, "promoted_bytes", v->promoted_bytes);
	json_array(j, "promoted");
	for (size_t i = 0; i < v->promoted_count; i++)
		put_promoted(j, r, &v->promoted[i]);
	json_end(j);
	json_end(j);
}

void json_put_types(struct json *j, const struct report *r,
		    const struct profile_stack *s)
{
	struct heap_type types[REPORT_HEAP_TYPES];
	size_t count;

	if (s->source != STACK_SOURCE_V8_HEAP || !r->v8)
		return;
	count = r->v8->types(r->v8->context, s->id, types);
	json_array(j, "types");
	for (size_t i = 0; i < count; i++) {
		json_object(j, NULL);
		json_text(j, "name", types[i].name);
		json_number(j, "share", types[i].share);
		json_end(j);
	}
	json_end(j);
}
