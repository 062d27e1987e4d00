// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_accounts.h"

#include <math.h>

#include "trace/large_blocks.h"
#include "trace/tracer_internal.h"
#include "trace/v8_pauses.h"
#include "trace/v8_rests.h"
#include "trace/window_costs.h"

/* Windows get at least this share of the budget, whatever V8's heap takes. */
#define LEAST_SHARE 0.25
/* The cost of probes that stay is taken over so much time. */
#define SMOOTHING_NS 2e9
/* ... and that of those that windows set, of so much time with them. */
#define USUAL_NS 0.3e9

bool window_leads(const struct tracee *e)
{
	return e->alive && e->owner == e->pid && !e->shared;
}

size_t window_account_count(const struct tracer *t)
{
	return t->tracee_count + 1;
}

struct tracee *window_account(const struct tracer *t, size_t i)
{
	return i < t->tracee_count ? t->tracees[i] : t->sharing.all;
}

/* Of probes that windows set and take out. */
static double windowed_cost_ns(const struct progress_sample *s, double factor)
{
	return progress_overhead_ns(s, factor) - factor * s->other_ns;
}

/* Takes a rate that was seen for so long into account. */
static void smooth(double *rate, double seen, double lasted_ns,
		   double memory_ns)
{
	*rate += lasted_ns / (lasted_ns + memory_ns) * (seen - *rate);
}

/* What was spent since the last look goes on all accounts. */
static void charge(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	struct window *w = &e->window;
	struct window_cost *c = &w->cost;
	const struct progress_sample *fresh = &w->meter.fresh;
	double limit = t->options.max_overhead, factor = w->samples.hit_factor;
	double other = factor * fresh->other_ns;
	double stays = other + w->meter.fresh_pages_ns;
	/* Probes that stay are taken off the share instead. */
	double spent = windowed_cost_ns(fresh, factor);

	if (fresh->wall_ns > 0)
		smooth(&c->other_rate, c->largest * stays / fresh->wall_ns,
		       fresh->wall_ns, SMOOTHING_NS);
	w->budget.share =
		v8_pauses_limit(&e->v8_heap.pauses, fmax(limit - c->other_rate,
							 LEAST_SHARE * limit));
	budget_charge(&w->budget, now_ns, c->largest * spent);
	budget_charge(&t->windows.total, now_ns, spent);
	large_blocks_charge(t, e, now_ns, factor * w->meter.fresh_maps_ns);
	t->windows.spent_ns += spent + other;
	w->progress.all_ns += progress_ns(fresh, factor);
	progress_add(&w->samples.sum, fresh);
}

/* Of shared probes others pay the traps, too. */
static void charge_bystanders(struct tracer *t, uint64_t now_ns)
{
	uint64_t hits = tracer_counter(t, COUNTER_BYSTANDERS);
	double spent = (double)(hits - t->windows.bystander_hits) *
		       (double)tracer_hit_ns(t);

	t->windows.bystander_hits = hits;
	t->windows.spent_ns += spent;
	budget_charge(&t->windows.total, now_ns, spent);
}

void window_accounts_settle(struct tracer *t)
{
	uint64_t now = monotonic_ns();

	window_costs_read(t);
	v8_pauses_read(t);
	charge_bystanders(t, now);
	for (size_t i = 0; i < window_account_count(t); i++)
		if (window_leads(window_account(t, i)))
			charge(t, window_account(t, i), now);
	v8_rests_charge(t, now);
}

void window_measure_rates(struct window *w)
{
	const struct progress_sample *sum = &w->samples.sum;
	double lasted = fmax(sum->wall_ns, 1), factor = w->samples.hit_factor;
	double part = w->cost.largest / lasted;

	w->cost.rates = (struct window_rates){
		.births = windowed_cost_ns(sum, factor) * part,
		.samples = (sum->sample_ns + factor * sum->return_ns) * part,
		.frees = factor * sum->free_ns * part,
		.progress = progress_ns(sum, factor) * part,
	};
	smooth(&w->cost.usual_births, w->cost.rates.births, lasted, USUAL_NS);
}
