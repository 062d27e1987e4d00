// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_weights.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"
#include "trace/window_owners.h"
#include "trace/window_probes.h"

uint32_t window_share(double share)
{
	double scaled = share * 4294967296.0;

	if (scaled >= 4294967296.0)
		return 0;
	return scaled > 1 ? (uint32_t)scaled : 1;
}

/* See fill_in in read.c. */
static uint64_t objects_of(const struct stack_stats *s)
{
	return s->alloc_objects_q8 + (s->alloc_samples << 8);
}

int window_weights_begin(struct tracer *t, const struct tracee *e)
{
	struct windows *w = &t->windows;
	struct window_owners owners;

	if (!w->totals)
		w->totals = calloc(t->plan.stacks, sizeof(*w->totals));
	if (!w->totals || window_owners_find(t, e, &owners))
		return -ENOMEM;
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];

		/* Another process may have a window of its own. */
		if (!window_owners_have(&owners, s))
			continue;
		w->totals[id].bytes = s->alloc_bytes;
		w->totals[id].objects_q8 = objects_of(s);
	}
	window_owners_free(&owners);
	return 0;
}

/* What is new stands for what was not seen, too. */
static void weigh_totals(struct stack_stats *s, struct window_totals *before,
			 const struct window_weight *weight)
{
	double more = 1 / weight->share - 1, bytes, objects;

	/* Thinning may have moved them the other way. */
	if (s->alloc_bytes < before->bytes ||
	    objects_of(s) < before->objects_q8)
		return;
	bytes = (double)(s->alloc_bytes - before->bytes);
	objects = (double)(objects_of(s) - before->objects_q8);
	__atomic_fetch_add(&s->alloc_bytes, (uint64_t)(bytes * more),
			   __ATOMIC_RELAXED);
	__atomic_fetch_add(&s->alloc_objects_q8, (uint64_t)(objects * more),
			   __ATOMIC_RELAXED);
	cluster_add(&before->seen, bytes / weight->share, weight->seconds);
}

void window_weights_end(struct tracer *t, struct tracee *e,
			const struct window_weight *weight)
{
	struct upkeep_pass pass = {
		.weigh_tgid =
			e == t->sharing.all ? WEIGH_SHARED : (uint32_t)e->pid,
		.born_from_ns = weight->born_from_ns,
		.born_to_ns = weight->born_to_ns,
		.share = window_share(weight->share),
	};
	struct window_owners owners;
	int err;

	if (!pass.share || !t->windows.totals ||
	    window_owners_find(t, e, &owners))
		return;
	cluster_add_time(&e->window.history.times, weight->seconds);
	/* Totals first: what lives must not exceed what was allocated. */
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		struct stack_stats *s = &t->stack_stats[id];

		if (window_owners_have(&owners, s))
			weigh_totals(s, &t->windows.totals[id], weight);
	}
	window_owners_free(&owners);
	err = tracer_upkeep(t, &pass);
	if (err)
		diag_warn("%s: cannot weigh what was seen: %s",
			  window_name(t, e).text, strerror(-err));
}

/* In whole cohorts. */
static double live_born_since(const struct stack_stats *s,
			      const struct cohort_layout *l, uint64_t from_ns)
{
	double sum = 0;

	for (uint32_t i = 0; i < l->count && i < COHORTS; i++)
		if (i + 1 == l->count || l->start_ns[i + 1] > from_ns)
			sum += (double)s->cohort_bytes[l->slot[i] % COHORTS];
	return sum;
}

static void apply(struct stack_stats *s, const struct cohort_layout *cohorts,
		  const struct window *w, const struct cluster_sums *seen,
		  double unit)
{
	double live = live_born_since(s, cohorts, w->history.first_ns);
	double windowed = fmin(live, seen->bytes), share, variance;

	if (!(windowed > 0))
		return;
	share = windowed / seen->bytes;
	variance = cluster_variance(seen, &w->history.times) * share * share;
	/* That few blocks were seen is in there, too. */
	variance = fmax(variance / unit - (double)s->live_bytes_variance, 0);
	s->windows_variance = (uint64_t)fmin(variance, 0x1p63);
	s->windows_error_bytes = (uint64_t)(windowed * w->progress.error);
}

void window_weights_apply(struct tracer *t, uint32_t id, struct stack_stats *s)
{
	uint32_t shift = t->skel->bss->sampling.variance_shift;
	const struct window_totals *totals = t->windows.totals;
	struct tracee *e;

	if (!totals || !(totals[id].seen.bytes > 0) ||
	    s->source != STACK_SOURCE_NATIVE)
		return;
	e = tracee_find(t, (pid_t)s->tgid);
	if (e)
		apply(s, &t->cohorts.readable, &sharing_account(t, e)->window,
		      &totals[id].seen, ldexp(1, 2 * (int)shift));
}

void window_weights_forget(struct tracer *t, uint32_t id)
{
	if (t->windows.totals)
		t->windows.totals[id] = (struct window_totals){0};
}
