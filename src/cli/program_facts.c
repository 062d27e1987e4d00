/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/program_facts.h"

#include <stdio.h>
#include <string.h>

_Static_assert(NOT_TRACED_COUNT <= REPORT_NOT_TRACED_MAX &&
		       NOT_TRACED_COUNT <= CAPTURE_REASONS_MAX,
	       "all reasons are kept");

const struct not_traced_text not_traced_texts[NOT_TRACED_COUNT] = {
#define X(id, key, text) {key, text},
	NOT_TRACED_REASONS(X)
#undef X
};

/* ---- To a capture -------------------------------------------------------- */

static void take_following(struct capture_following *to,
			   const struct report_following *from)
{
	*to = (struct capture_following){
		.present = true,
		.attached = from->attached,
		.let_go = from->let_go,
		.waiting = from->waiting,
		.no_room = from->no_room,
		.starts_missed = from->starts_missed,
	};
	snprintf(to->selection, sizeof(to->selection), "%s", from->selection);
	for (size_t i = 0; i < from->reason_count; i++) {
		struct capture_reason *r = &to->reasons[to->reason_count++];

		snprintf(r->key, sizeof(r->key), "%s", from->reasons[i].key);
		r->processes = from->not_traced[i];
	}
}

static size_t take_go(struct capture_go *to, const struct report_go *from)
{
	to->all = from->all;
	for (size_t i = 0;
	     i < from->heap_count && to->heap_count < CAPTURE_GO_MAX; i++) {
		const struct report_go_heap *h = &from->heaps[i];

		to->heaps[to->heap_count++] = (struct capture_go_heap){
			.pid = (uint32_t)h->pid,
			.collections = h->collections,
			.settled_seconds_ago = h->settled_seconds_ago,
			.rate_known = h->rate_known,
			.rate = h->rate,
		};
	}
	return from->heap_count - to->heap_count;
}

void program_facts_take(struct capture_snapshot *s, const struct report *r)
{
	if (r->following)
		take_following(&s->following, r->following);
	if (r->go)
		s->left_out += take_go(&s->go, r->go);
	s->unwatched_seconds = r->unwatched_seconds;
	s->own_resident_bytes = r->self.resident_bytes;
	s->own_cpu_seconds = r->self.cpu_seconds;
}

/* ---- And back ------------------------------------------------------------ */

/* Reasons are known by their keys: texts are this version's. */
static void show_reason(struct report_following *to,
			const struct capture_reason *from)
{
	for (size_t i = 0; i < NOT_TRACED_COUNT; i++)
		if (!strcmp(not_traced_texts[i].key, from->key))
			to->not_traced[i] = from->processes;
}

static void show_following(struct report_following *to,
			   const struct capture_following *from)
{
	*to = (struct report_following){
		.selection = from->selection,
		.attached = from->attached,
		.let_go = from->let_go,
		.waiting = from->waiting,
		.no_room = from->no_room,
		.starts_missed = from->starts_missed,
		.reason_count = NOT_TRACED_COUNT,
		.reasons = not_traced_texts,
	};
	for (uint32_t i = 0; i < from->reason_count; i++)
		show_reason(to, &from->reasons[i]);
}

static void show_go(struct program_facts *f, const struct capture_go *from)
{
	f->go = (struct report_go){.heaps = f->heaps, .all = from->all};
	for (uint32_t i = 0; i < from->heap_count; i++) {
		const struct capture_go_heap *h = &from->heaps[i];

		f->heaps[f->go.heap_count++] = (struct report_go_heap){
			.pid = (pid_t)h->pid,
			.collections = h->collections,
			.settled_seconds_ago = h->settled_seconds_ago,
			.rate_known = h->rate_known,
			.rate = h->rate,
		};
	}
}

void program_facts_show(struct program_facts *f,
			const struct capture_snapshot *from, struct report *r)
{
	if (from->following.present) {
		show_following(&f->following, &from->following);
		r->following = &f->following;
	}
	if (from->go.heap_count) {
		show_go(f, &from->go);
		r->go = &f->go;
	}
	r->unwatched_seconds = from->unwatched_seconds;
	r->left_out = from->left_out;
	r->self = (struct report_self){
		.resident_bytes = from->own_resident_bytes,
		.cpu_seconds = from->own_cpu_seconds,
	};
}
