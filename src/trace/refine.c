/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/refine.h"

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* What samples may cost when they are made finer, and from when on they are
 * made coarser: each step at most doubles it, so it does not go to and fro. */
#define SHARE_FINER   0.004
#define SHARE_COARSER 0.01
/* Of what probes may cost: a target that is more expensive is observed in
 * windows, and no sample is worth that. */
#define ALLOWED_FINER	0.7
#define ALLOWED_COARSER 0.9
/* Of the table of blocks: far from where it has to be thinned. */
#define TABLE_FINER   0.1
#define TABLE_COARSER 0.3
/* Between two looks: what is shorter than that are bursts. */
#define LOOK_NS 4000000000ULL

static bool is_too_fine(const struct refine_facts *f, double used)
{
	return f->share > SHARE_COARSER || used > TABLE_COARSER ||
	       (f->allowed > 0 && f->cost > ALLOWED_COARSER * f->allowed);
}

/* With twice the samples. */
static bool would_be_cheap(const struct refine_facts *f, double used)
{
	return 2 * f->share <= SHARE_FINER && 2 * used <= TABLE_FINER &&
	       (!(f->allowed > 0) ||
		f->cost + f->share <= ALLOWED_FINER * f->allowed);
}

uint64_t refine_interval(const struct refine_facts *f)
{
	double used = (double)f->outstanding / (double)f->room;

	if (is_too_fine(f, used))
		return f->interval * 2 <= f->start ? f->interval * 2
						   : f->interval;
	if (!would_be_cheap(f, used) ||
	    f->interval / 2 < f->start / REFINE_MOST)
		return f->interval;
	return f->interval / 2;
}

/* Not when somebody wants just this interval, or the table has been too small
 * for it before; windows have an interval of their own. */
static bool may_change(const struct tracer *t)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->alive &&
		    t->tracees[i]->window.state != WINDOW_ALWAYS)
			return false;
	return !t->options.sampling_fixed && !t->coarsened &&
	       t->options.sample_bytes;
}

void tracer_refine(struct tracer *t, uint64_t now_ns)
{
	struct refine *r = &t->refine;
	struct refine_facts f = {
		.interval = t->skel->bss->sampling.interval_bytes,
		.start = t->options.sample_bytes,
		.allowed = t->options.max_overhead,
		.room = t->plan.outstanding_max,
	};
	int64_t outstanding = t->skel->bss->outstanding_count;
	uint64_t spent, cost;
	double passed_ns = (double)(now_ns - r->looked_ns);

	if (!may_change(t) || now_ns - r->looked_ns < LOOK_NS)
		return;
	spent = tracer_percpu_sum(t->skel->maps.counters, COUNTER_SAMPLE_NS);
	cost = tracer_overhead_ns(t);
	f.share = (double)(spent - r->sample_ns) / passed_ns;
	f.cost = (double)(cost - r->cost_ns) / passed_ns;
	f.outstanding = outstanding > 0 ? (uint64_t)outstanding : 0;
	if (r->looked_ns)
		tracer_set_sampling(t, refine_interval(&f));
	r->looked_ns = now_ns;
	r->sample_ns = spent;
	r->cost_ns = cost;
}
