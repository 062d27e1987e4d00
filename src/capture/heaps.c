/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/heaps.h"

#include <string.h>

static void code_heap(struct codec *c, struct heap_summary *h)
{
	code_u32(c, &h->pid);
	code_u32(c, &h->tid);
	code_u64(c, &h->scavenges);
	code_u64(c, &h->full_gcs);
	code_double(c, &h->scavenge_seconds);
	code_double(c, &h->full_gc_seconds);
	code_double(c, &h->following_seconds);
	code_double(c, &h->live);
	code_double(c, &h->live_seconds_ago);
	code_double(c, &h->growth_per_minute);
	code_bool(c, &h->growth_known);
}

static void code_type(struct codec *c, struct capture_type *t)
{
	code_u32(c, &t->stack);
	code_text(c, t->type.name, sizeof(t->type.name));
	code_double(c, &t->type.share);
}

static void code_lists(struct codec *c, struct capture_heaps *h)
{
	uint32_t heaps = h->heap_count, types = h->type_count;

	code_u32(c, &heaps);
	for (uint32_t i = 0; i < heaps && !c->in.failed; i++) {
		struct heap_summary dropped = {0};

		code_heap(c, i < CAPTURE_HEAPS_MAX ? &h->heaps[i] : &dropped);
	}
	code_u32(c, &types);
	for (uint32_t i = 0; i < types && !c->in.failed; i++) {
		struct capture_type dropped = {0};

		code_type(c, i < CAPTURE_TYPES_MAX ? &h->types[i] : &dropped);
	}
	h->heap_count = heaps < CAPTURE_HEAPS_MAX ? heaps : CAPTURE_HEAPS_MAX;
	h->type_count = types < CAPTURE_TYPES_MAX ? types : CAPTURE_TYPES_MAX;
}

static void code_promoted(struct codec *c, struct capture_heaps *h)
{
	uint32_t count = h->promoted_count;

	code_double(c, &h->promoted_bytes);
	code_u32(c, &count);
	for (uint32_t i = 0; i < count && !c->in.failed; i++) {
		struct heap_promoted dropped = {0}, *p = &h->promoted[i];

		if (i >= HEAP_PROMOTED)
			p = &dropped;
		code_u32(c, &p->stack);
		code_double(c, &p->bytes);
	}
	h->promoted_count = count < HEAP_PROMOTED ? count : HEAP_PROMOTED;
}

static void code_more(struct codec *c, struct heap_summary *h)
{
	code_double(c, &h->following_most);
	code_double(c, &h->external);
	code_double(c, &h->external_per_minute);
	code_bool(c, &h->external_growth_known);
}

void code_heaps(struct codec *c, struct capture_heaps *h)
{
	code_bool(c, &h->present);
	if (!h->present)
		return;
	code_u32(c, &h->survived);
	code_text(c, h->refused, sizeof(h->refused));
	code_lists(c, h);
	/* Captures of earlier versions end here. */
	if (!c->out && !cursor_left(&c->in)) {
		for (uint32_t i = 0; i < h->heap_count; i++)
			h->heaps[i].external = -1;
		return;
	}
	code_promoted(c, h);
	for (uint32_t i = 0; i < h->heap_count; i++)
		code_more(c, &h->heaps[i]);
}

void code_sampled_shares(struct codec *c, struct capture_heaps *h)
{
	bool known = c->out || cursor_left(&c->in);

	for (uint32_t i = 0; i < h->heap_count; i++)
		if (known)
			code_double(c, &h->heaps[i].sampled_share);
		else
			h->heaps[i].sampled_share = 1;
}
