/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/programs.h"

void code_following(struct codec *c, struct capture_following *f)
{
	uint32_t reasons = f->reason_count;

	code_bool(c, &f->present);
	if (!f->present)
		return;
	code_text(c, f->selection, sizeof(f->selection));
	code_u64(c, &f->attached);
	code_u64(c, &f->let_go);
	code_u64(c, &f->waiting);
	code_u64(c, &f->no_room);
	code_u64(c, &f->starts_missed);
	code_u32(c, &reasons);
	for (uint32_t i = 0; i < reasons && !c->in.failed; i++) {
		struct capture_reason dropped = {0}, *r = &f->reasons[i];

		if (i >= CAPTURE_REASONS_MAX)
			r = &dropped;
		code_text(c, r->key, sizeof(r->key));
		code_u64(c, &r->processes);
	}
	f->reason_count =
		reasons < CAPTURE_REASONS_MAX ? reasons : CAPTURE_REASONS_MAX;
}

static void code_heap(struct codec *c, struct capture_go_heap *h)
{
	code_u32(c, &h->pid);
	code_u64(c, &h->collections);
	code_double(c, &h->settled_seconds_ago);
	code_bool(c, &h->rate_known);
	code_double(c, &h->rate);
}

void code_go(struct codec *c, struct capture_go *g)
{
	uint32_t heaps = g->heap_count;

	code_u32(c, &heaps);
	for (uint32_t i = 0; i < heaps && !c->in.failed; i++) {
		struct capture_go_heap dropped = {0};

		code_heap(c, i < CAPTURE_GO_MAX ? &g->heaps[i] : &dropped);
	}
	g->heap_count = heaps < CAPTURE_GO_MAX ? heaps : CAPTURE_GO_MAX;
	code_bool(c, &g->all);
}
