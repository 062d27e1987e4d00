/* SPDX-License-Identifier: GPL-2.0-only */
#include "trace/refine.h"

#include "base/diag.h"
#include "trace/tracer_internal.h"
#include "trace/window_probes.h"

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
/* Of what it may cost, what is not spent on samples: or fewer do not help. */
#define ALLOWED_REST 0.85
/* Coarser in one step: each is tried at the target's expense. */
#define STEP_COARSER 4
/* Mean bytes between samples in windows. */
#define WINDOW_SAMPLE_BYTES 256
/* Between two looks: what is shorter than that are bursts. */
#define LOOK_NS 4000000000ULL

static bool is_too_fine(const struct refine_facts *f, double used)
{
	return f->share > SHARE_COARSER || used > TABLE_COARSER ||
	       (f->allowed > 0 && f->cost > ALLOWED_COARSER * f->allowed);
}

/* With twice the samples. Up to the interval at the start, all that is allowed
 * counts. */
static bool would_be_cheap(const struct refine_facts *f, double used)
{
	bool coarse = f->interval > f->start;

	return (coarse || 2 * f->share <= SHARE_FINER) &&
	       2 * used <= TABLE_FINER &&
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

uint64_t refine_coarser(const struct refine_facts *f)
{
	if (f->cost - f->share > ALLOWED_REST * f->allowed ||
	    f->interval * STEP_COARSER > REFINE_COARSEST)
		return f->interval;
	return f->interval * STEP_COARSER;
}

/* Not when somebody wants just this interval; windows have one of their own. */
static bool may_change(const struct tracer *t)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->alive &&
		    t->tracees[i]->window.now.state != WINDOW_ALWAYS)
			return false;
	if (t->sharing.all->alive &&
	    t->sharing.all->window.now.state != WINDOW_ALWAYS)
		return false;
	return !t->options.sampling_fixed && t->options.sample_bytes;
}

bool tracer_sample_coarser(struct tracer *t, const struct tracee *e)
{
	const struct window_rates *rates = &e->window.cost.rates;
	struct refine_facts f = {
		.interval = t->skel->bss->sampling.interval_bytes,
		.share = rates->samples,
		.cost = rates->births,
		.allowed = e->window.budget.share,
	};
	uint64_t coarser = refine_coarser(&f);

	if (!may_change(t) || coarser == f.interval)
		return false;
	diag_info("%s: tracing it costs about %.1f %% of a CPU, %.1f "
		  "%% for samples, --max-overhead allows %.1f %%: sampling one "
		  "in %llu bytes instead of %llu",
		  window_name(t, e).text, 100 * f.cost, 100 * f.share,
		  100 * f.allowed, (unsigned long long)coarser,
		  (unsigned long long)f.interval);
	tracer_set_sampling(t, coarser);
	return true;
}

void tracer_sample_for_windows(struct tracer *t)
{
	if (!t->options.sampling_fixed && !t->coarsened &&
	    t->skel->bss->sampling.interval_bytes > WINDOW_SAMPLE_BYTES)
		tracer_set_sampling(t, WINDOW_SAMPLE_BYTES);
}

static void change(struct tracer *t, const struct refine_facts *f)
{
	uint64_t now = tracer_set_sampling(t, refine_interval(f));

	if (f->interval > f->start && now < f->interval)
		diag_info("sampling one in %llu bytes again",
			  (unsigned long long)now);
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

	if (!may_change(t) || t->coarsened || now_ns - r->looked_ns < LOOK_NS)
		return;
	spent = tracer_percpu_sum(t->skel->maps.counters, COUNTER_SAMPLE_NS);
	cost = tracer_overhead_ns(t);
	f.share = (double)(spent - r->sample_ns) / passed_ns;
	f.cost = (double)(cost - r->cost_ns) / passed_ns;
	f.outstanding = outstanding > 0 ? (uint64_t)outstanding : 0;
	if (r->looked_ns)
		change(t, &f);
	r->looked_ns = now_ns;
	r->sample_ns = spent;
	r->cost_ns = cost;
}
