// SPDX-License-Identifier: GPL-2.0-only
#include "cli/reporting_v8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

/* Stacks of one place whose objects are looked at. */
#define MEMBERS_MAX 24

static size_t types(void *context, uint32_t stack,
		    struct heap_type out[REPORT_HEAP_TYPES])
{
	const struct reporting_v8 *v = context;
	struct tracer_v8_type found[TRACER_V8_TYPES];
	uint32_t stacks[MEMBERS_MAX];
	size_t count =
		stack_merge_members(v->merge, stack, stacks, MEMBERS_MAX);

	count = tracer_v8_types(v->tracer, stacks, count, found);
	for (size_t i = 0; i < count; i++) {
		memcpy(out[i].name, found[i].name, sizeof(out[i].name));
		out[i].share = found[i].share;
	}
	return count;
}

/* Keeps those with most, most first. */
static void rank(struct report_v8 *r, const struct heap_promoted *new)
{
	size_t n = r->promoted_count;
	struct heap_promoted *list = r->promoted;

	while (n && list[n - 1].bytes < new->bytes) {
		if (n < HEAP_PROMOTED)
			list[n] = list[n - 1];
		n--;
	}
	if (n < HEAP_PROMOTED)
		list[n] = *new;
	if (r->promoted_count < HEAP_PROMOTED)
		r->promoted_count++;
}

static void find_promoted(struct reporting_v8 *v, struct profile *p)
{
	uint32_t members[MEMBERS_MAX];
	size_t count, n;
	const struct profile_stack *const *stacks =
		profile_sorted(p, PROFILE_BY_ALLOC, &count);

	for (size_t i = 0; i < count; i++) {
		struct heap_promoted new = {.stack = stacks[i]->id};

		if (stacks[i]->source != STACK_SOURCE_V8_HEAP)
			continue;
		n = stack_merge_members(v->merge, new.stack, members,
					MEMBERS_MAX);
		new.bytes = tracer_v8_promoted(v->tracer, members, n);
		if (!(new.bytes > 0))
			continue;
		v->report.promoted_bytes += new.bytes;
		rank(&v->report, &new);
	}
}

_Static_assert(REPORT_HEAP_TYPES == TRACER_V8_TYPES, "copied one by one");

static void describe(const struct tracer_v8_heap *from, uint64_t now_ns,
		     struct heap_summary *to)
{
	const struct v8_heap *s = &from->state;

	*to = (struct heap_summary){
		.pid = (uint32_t)from->pid,
		.tid = s->tid,
		.scavenges = s->scavenges,
		.full_gcs = s->full_gcs,
		.scavenge_seconds = (double)s->scavenge_ns / 1e9,
		.full_gc_seconds = (double)s->full_gc_ns / 1e9,
		.following_seconds = (double)s->passes_ns / 1e9,
		.following_most = (double)s->pass_ns_max / 1e9,
		.sampled_share = from->sampled_share,
		.live = (double)s->live_bytes,
	};
	if (s->last_full_ns && now_ns > s->last_full_ns)
		to->live_seconds_ago = (double)(now_ns - s->last_full_ns) / 1e9;
	to->growth_known =
		s->live_bytes &&
		heap_trend_rate(&from->trend, &to->growth_per_minute);
	to->external = from->external_bytes;
	to->external_growth_known =
		heap_trend_rate(&from->external, &to->external_per_minute);
}

/* Heaps that were not collected often enough do not count: their objects are
 * not live yet. */
static void settle(struct reporting_v8 *v, const struct heap_trend *trend,
		   unsigned survived)
{
	double seconds = heap_trend_time(trend, survived ? survived - 1 : 0);
	double aged = heap_trend_time(trend, survived > 1 ? survived - 2 : 0);

	/* What was old at a collection counts as if it had survived one more
	 * (v8_survivors.h). */
	if (survived > 1 && aged > 0)
		seconds = fmax(seconds, aged - V8_AGED_NS / 1e9);

	if (seconds > 0 &&
	    (v->settled_seconds <= 0 || seconds < v->settled_seconds))
		v->settled_seconds = seconds;
}

/* Main threads first, then by thread. */
static int compare(const void *a, const void *b)
{
	const struct heap_summary *x = a, *y = b;

	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->tid > y->tid) - (x->tid < y->tid);
}

bool reporting_v8_update(struct reporting_v8 *v, struct tracer *t,
			 const struct stack_merge *merge,
			 struct profile *profile, const struct targets *targets,
			 uint64_t now_ns, unsigned survived)
{
	CLEANUP_FREE struct tracer_v8_heap *heaps =
		calloc(REPORTING_HEAPS_MAX, sizeof(*heaps));
	size_t count =
		heaps ? tracer_v8_heaps(t, heaps, REPORTING_HEAPS_MAX) : 0;

	v->report = (struct report_v8){
		.heaps = v->heaps,
		.heap_count = count,
		.survived = survived,
		.types = types,
		.context = v,
	};
	v->tracer = t;
	v->merge = merge;
	v->collections = 0;
	v->settled_seconds = 0;
	for (size_t i = 0; i < count; i++) {
		describe(&heaps[i], now_ns, &v->heaps[i]);
		settle(v, &heaps[i].trend, survived);
		if (v->heaps[i].full_gcs > v->collections)
			v->collections = (unsigned)v->heaps[i].full_gcs;
	}
	qsort(v->heaps, count, sizeof(v->heaps[0]), compare);
	find_promoted(v, profile);
	for (size_t i = 0; i < targets->count && !v->report.refused; i++)
		v->report.refused =
			tracer_v8_refused(t, targets->list[i]->process.pid);
	return count || v->report.refused;
}
