// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_always.h"

#include <math.h>

#include "base/diag.h"
#include "trace/large_blocks.h"
#include "trace/tracer_internal.h"
#include "trace/window_accounts.h"
#include "trace/window_probes.h"

/* What coarser sampling may cost before it is judged. */
#define TRIAL_CREDIT_NS 0.03e9
/* Observed all the time again when that would take so much of the budget. */
#define CALM_SHARE 0.7

/* Its samples become fewer: whether that is enough is seen when this is spent.
 */
static void try_again(struct tracer *t, struct window *w)
{
	w->budget.credit_ns += TRIAL_CREDIT_NS;
	t->windows.total.credit_ns += TRIAL_CREDIT_NS;
	window_enter(w, WINDOW_ALWAYS, 0);
}

/* Perf events take the kernel a tenth of a second each to set and to remove
 * (link.h): no windows can be made of them. */
static void say_no_windows(struct tracer *t, struct tracee *e)
{
	if (t->windows.refused)
		return;
	t->windows.refused = true;
	diag_warn("process %d: tracing it costs about %.1f %% of a CPU, more "
		  "than --max-overhead allows, and this kernel cannot set and "
		  "remove probes fast enough to observe it in windows "
		  "(uprobe_multi, Linux 6.6): use a larger --sample-bytes or "
		  "stop when you have seen enough",
		  (int)e->pid, 100 * e->window.cost.rates.births);
}

/* It has used up its credit although it is not in windows yet. */
void window_leave_always(struct tracer *t, struct tracee *e)
{
	struct window *w = &e->window;

	window_measure_rates(w);
	if (!budget_has(&w->budget, 0) && tracer_sample_coarser(t, e)) {
		try_again(t, w);
		return;
	}
	if (t->link == LINK_PERF) {
		say_no_windows(t, e);
		return;
	}
	if (budget_has(&w->budget, 0))
		diag_info(
			"%s: observing all processes all the time costs more "
			"than the %.1f %% of a CPU that --max-overhead allows "
			"in all: observing it in windows",
			window_name(t, e).text, 100 * t->windows.total.share);
	else if (v8_pauses_limits(&e->v8_heap.pauses, w->budget.share))
		diag_info("%s: observing it all the time makes pauses of V8's "
			  "collector too long: observing it in windows",
			  window_name(t, e).text);
	else
		diag_info("%s: observing it all the time costs about %.1f %% "
			  "of a CPU, --max-overhead allows %.1f %%: observing "
			  "it in windows",
			  window_name(t, e).text, 100 * w->cost.rates.births,
			  100 * w->budget.share);
	e->births_unseen = true;
	window_publish(t, e);
	window_take_probes(t, e, &t->windows.closing);
	w->leaves_always = true;
}

static void are_in_windows(struct tracer *t, struct tracee *e)
{
	struct window *w = &e->window;

	if (!w->leaves_always)
		return;
	w->leaves_always = false;
	large_blocks_follow(t, e);
	w->progress.seen_until = w->progress.all_ns;
	w->history.births_ns[1] = monotonic_ns();
	w->history.ended_ns = w->history.births_ns[1];
	if (!w->history.first_ns)
		w->history.first_ns = w->history.births_ns[1];
	window_wait_for_credit(t, w, false);
}

/* Taking out the probes of many takes little longer than those of one
 * (link_close.c): and until then they cost too much. */
void windows_end_always(struct tracer *t)
{
	bool any = false;

	for (size_t i = 0; i < window_account_count(t); i++)
		any = any || window_account(t, i)->window.leaves_always;
	if (!any)
		return;
	probe_links_close(&t->windows.closing);
	window_probes_unset(t);
	tracer_sample_for_windows(t);
	window_accounts_settle(t);
	for (size_t i = 0; i < window_account_count(t); i++)
		are_in_windows(t, window_account(t, i));
}

/* CPU time per time, if it was observed all the time; with all that share its
 * window. */
static double cost_always(const struct window *w)
{
	const struct progress_sample *sum = &w->samples.sum;

	if (w->now.state != WINDOW_ALWAYS)
		return w->cost.rates.births / w->cost.largest;
	return sum->wall_ns > 0
		       ? progress_overhead_ns(sum, w->samples.hit_factor) /
				 sum->wall_ns
		       : 0;
}

bool window_is_affordable(const struct tracer *t, const struct window *w)
{
	const struct budget *total = &t->windows.total;
	double all = 0;

	for (size_t i = 0; i < window_account_count(t); i++) {
		const struct window *other = &window_account(t, i)->window;

		if (window_leads(window_account(t, i)) &&
		    (other == w || other->now.state == WINDOW_ALWAYS))
			all += cost_always(other);
	}
	return w->budget.credit_ns > 0 &&
	       fmax(w->cost.rates.births, w->cost.usual_births) <
		       CALM_SHARE * w->budget.share &&
	       (budget_unlimited(total) || all < CALM_SHARE * total->share);
}

void window_observe_always(struct tracer *t, struct tracee *e)
{
	if (window_set_probes(t, e)) {
		window_wait_for_credit(t, &e->window, false);
		return;
	}
	diag_info("%s: observing it all the time again",
		  window_name(t, e).text);
	e->observed_share = 0;
	e->births_unseen = false;
	e->window.history.births_ns[0] = 0;
	window_publish(t, e);
	window_enter(&e->window, WINDOW_ALWAYS, 0);
}
