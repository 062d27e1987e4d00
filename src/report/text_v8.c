// SPDX-License-Identifier: GPL-2.0-only
#include "report/text_v8.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report/blame.h"
#include "report/format.h"
#include "report/names.h"
#include "report/text_targets.h"
#include "report/verdict_text.h"

/* Isolates that get a line. */
#define HEAPS_MAX    8
#define TYPE_COLUMNS 40
#define SAMPLED_ALL  0.999
/* Larger Buffers than that are worth a look at who slices them. */
#define PINNABLE_BYTES (64 << 10)

static void add_pauses(struct text *t, const struct heap_summary *h)
{
	double collections = (double)(h->scavenges + h->full_gcs);

	if (!(collections > 0))
		return;
	text_begin_line(t, "");
	text_printf(t, "%s scavenge%s", format_count((double)h->scavenges).text,
		    h->scavenges == 1 ? "" : "s");
	if (h->scavenges)
		text_printf(t, " of %.1f ms",
			    h->scavenge_seconds * 1e3 / (double)h->scavenges);
	text_printf(t, ", %s full collection%s",
		    format_count((double)h->full_gcs).text,
		    h->full_gcs == 1 ? "" : "s");
	if (h->full_gcs)
		text_printf(t, " of %.1f ms",
			    h->full_gc_seconds * 1e3 / (double)h->full_gcs);
	text_printf(t, " on average, %.2f ms of each to follow objects\n",
		    h->following_seconds * 1e3 / collections);
}

/* Their probes rest where they cost more than they may. */
static void add_rests(struct text *t, const struct heap_summary *h)
{
	if (!(h->sampled_share < SAMPLED_ALL))
		return;
	text_begin_line(t, "");
	text_printf(t,
		    "sampled %s of the time, as --max-overhead allows no "
		    "more: samples stand for the rest, too\n",
		    format_percent(h->sampled_share).text);
}

static void add_external(struct text *t, const struct heap_summary *h)
{
	if (!(h->external > 0))
		return;
	text_begin_line(t, "");
	text_printf(t, "%s outside of it (Buffers and the like)",
		    format_bytes(h->external).text);
	if (h->external_growth_known)
		text_printf(t, ", %s between full collections",
			    format_rate(h->external_per_minute).text);
	text_add(t, "\n");
}

static void add_heap(struct text *t, const struct report *r,
		     const struct heap_summary *h)
{
	text_begin_line(t, "V8 heap");
	if (r->target_count > 1)
		text_printf(t, "pid %d: ", (int)h->pid);
	if (h->tid && h->tid != h->pid)
		text_printf(t, "worker (thread %d): ", (int)h->tid);
	if (!h->full_gcs) {
		text_add(t, "no full collection since attach: what is garbage "
			    "is not known yet\n");
	} else if (!(h->live > 0)) {
		text_add(t, "its size is not known\n");
	} else {
		text_printf(t,
			    "%s live after the last full collection (%s ago)",
			    format_bytes(h->live).text,
			    format_duration(h->live_seconds_ago).text);
		if (h->growth_known)
			text_printf(t, ", %s between %s of them",
				    format_rate(h->growth_per_minute).text,
				    format_count((double)h->full_gcs).text);
		text_add(t, "\n");
	}
	add_external(t, h);
	add_rests(t, h);
	add_pauses(t, h);
}

static const struct profile_stack *find_stack(const struct report *r,
					      uint32_t id)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_ALLOC, &count);

	for (size_t i = 0; i < count; i++)
		if (stacks[i]->id == id)
			return stacks[i];
	return NULL;
}

bool text_v8_place(struct text *t, const struct report *r, uint32_t stack)
{
	const struct profile_stack *s = find_stack(r, stack);

	if (!s || report_resolve(r, &s, 1))
		return false;
	verdict_place(t, r, s);
	return true;
}

/* Evidence, no verdict: what the next full collection will decide on. */
static void add_promoted(struct text *t, const struct report *r)
{
	const struct report_v8 *v = r->v8;
	struct text place = {0};

	if (!v->promoted_count ||
	    !text_v8_place(&place, r, v->promoted[0].stack) || !place.data)
		return;
	text_begin_line(t, "");
	text_printf(t,
		    "%s in V8's old space that no full collection has looked "
		    "at yet, held or garbage: %s of it from ",
		    format_bytes(v->promoted_bytes).text,
		    format_bytes(v->promoted[0].bytes).text);
	text_append(t, place.data, place.size);
	text_add(t, "\n");
	text_free(&place);
}

void text_v8_heaps(struct text *t, const struct report *r)
{
	const struct report_v8 *v = r->v8;

	if (!v)
		return;
	if (v->refused) {
		text_begin_line(t, "V8 heap");
		text_add(t, "its objects are not followed: ");
		name_for_people(t, v->refused, 160);
		text_add(t, "\n");
	}
	for (size_t i = 0; i < v->heap_count && i < HEAPS_MAX; i++)
		add_heap(t, r, &v->heaps[i]);
	if (v->heap_count > HEAPS_MAX) {
		text_begin_line(t, "");
		text_printf(t, "and %zu more isolates\n",
			    v->heap_count - HEAPS_MAX);
	}
	add_promoted(t, r);
}

double text_v8_live(const struct report *r, pid_t pid)
{
	double sum = 0;

	for (size_t i = 0; r->v8 && i < r->v8->heap_count; i++)
		if (r->v8->heaps[i].pid == (uint32_t)pid)
			sum += r->v8->heaps[i].live;
	return sum;
}

double text_v8_external(const struct report *r, pid_t pid)
{
	double sum = 0;

	for (size_t i = 0; r->v8 && i < r->v8->heap_count; i++)
		if (r->v8->heaps[i].pid == (uint32_t)pid)
			sum += fmax(r->v8->heaps[i].external, 0);
	return sum;
}

static void add_types(struct text *t, const struct report *r,
		      const struct profile_stack *s)
{
	struct heap_type types[REPORT_HEAP_TYPES];
	size_t count;

	text_printf(t, "    on V8's heap, survived %u full collection%s",
		    r->v8->survived, r->v8->survived == 1 ? "" : "s");
	if (r->v8->survived > 1)
		text_printf(t, ", or %u when old", r->v8->survived - 1);
	count = r->v8->types(r->v8->context, s->id, types);
	for (size_t i = 0; i < count; i++) {
		text_add(t, i ? ", " : ": ");
		name_for_people(t, types[i].name, TYPE_COLUMNS);
		text_printf(t, " %s", format_percent(types[i].share).text);
	}
	text_add(t, "\n");
}

/* Memory behind ArrayBuffers, and so behind Buffers. */
static bool is_backing_store(const struct report *r,
			     const struct profile_stack *s)
{
	for (uint32_t i = 0; i < s->depth; i++) {
		const struct symbol *symbol = report_symbol(r, s->frames[i]);

		for (uint32_t l = 0; l < symbol->level_count; l++) {
			const char *name = symbol->levels[l].function;

			if (strstr(name, "BackingStore::Allocate") ||
			    strstr(name, "NodeArrayBufferAllocator"))
				return true;
		}
	}
	return false;
}

void text_v8_stack(struct text *t, const struct report *r,
		   const struct profile_stack *s)
{
	double size = s->live_objects.value > 0
			      ? s->live_bytes.value / s->live_objects.value
			      : 0;

	if (!r->v8)
		return;
	if (s->source == STACK_SOURCE_V8_HEAP)
		add_types(t, r, s);
	else if (size >= PINNABLE_BYTES && is_backing_store(r, s))
		text_printf(t,
			    "    Buffers of %s each: a small slice of one "
			    "(subarray, slice) keeps all of it alive; copy "
			    "what is kept\n",
			    format_bytes(size).text);
}
