// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_weights.h"

#include <errno.h>
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
		if (!s->alloc_samples)
			w->totals[id] = (struct window_totals){0};
		else if (window_owners_have(&owners, s))
			w->totals[id] = (struct window_totals){
				.bytes = s->alloc_bytes,
				.objects_q8 = objects_of(s),
			};
	}
	window_owners_free(&owners);
	return 0;
}

/* What is new counts `more` times in addition. */
static void weigh_totals(struct stack_stats *s,
			 const struct window_totals *before, double more)
{
	double bytes, objects;

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
}

void window_weights_end(struct tracer *t, const struct tracee *e, double share,
			uint64_t born_from_ns, uint64_t born_to_ns)
{
	struct upkeep_pass pass = {
		.weigh_tgid =
			e == t->sharing.all ? WEIGH_SHARED : (uint32_t)e->pid,
		.born_from_ns = born_from_ns,
		.born_to_ns = born_to_ns,
		.share = window_share(share),
	};
	struct window_owners owners;
	int err;

	if (!pass.share || !t->windows.totals ||
	    window_owners_find(t, e, &owners))
		return;
	/* Totals first: what lives must not exceed what was allocated. */
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		struct stack_stats *s = &t->stack_stats[id];

		if (window_owners_have(&owners, s))
			weigh_totals(s, &t->windows.totals[id], 1 / share - 1);
	}
	window_owners_free(&owners);
	err = tracer_upkeep(t, &pass);
	if (err)
		diag_warn("%s: cannot weigh what was seen: %s",
			  window_name(t, e).text, strerror(-err));
}
