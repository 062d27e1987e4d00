// SPDX-License-Identifier: GPL-2.0-only
/* Opening and closing observation windows. Who is observed in them:
 * window_always.c; what was spent: window_costs.c; what the blocks seen stand
 * for: window_weights.c. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/large_blocks.h"
#include "trace/tracer_internal.h"
#include "trace/v8_rests.h"
#include "trace/window_accounts.h"
#include "trace/window_always.h"
#include "trace/window_costs.h"
#include "trace/window_probes.h"

/* CPU time that a new target may cost at once, and what may be saved up. */
#define FIRST_CREDIT_NS	  0.1e9
#define HIGHEST_CREDIT_NS 0.4e9
/* Of all targets together, so many times the first two. */
#define TOTAL_CREDITS 4
/* Of what all of them may save up, that much is waited for at most. */
#define SAVED_SHARE 0.9
/* Beyond its plan, a window may cost so much of the credit it began with. */
#define OVERDRAFT 0.5
/* Rates of a target that is observed all the time are of so much time. */
#define RATES_NS 2000000000ULL
/* How far off the pace of those that wait for a CPU may be: what others take
 * differs from one part of a window to the other. */
#define PACE_ERROR 0.25
/* Between two looks: while something is expensive, and otherwise. */
#define LOOK_BUSY_NS 50000000ULL
#define LOOK_IDLE_NS 400000000ULL

static bool limited(const struct tracer *t)
{
	return t->options.max_overhead > 0;
}

/* It, and all together. */
static bool have_credit(const struct tracer *t, const struct window *w)
{
	return budget_has(&w->budget, 0) && budget_has(&t->windows.total, 0);
}

static bool is_overdrawn(const struct tracer *t, const struct window *w)
{
	const struct budget *total = &t->windows.total;

	return !budget_has(&w->budget, -OVERDRAFT * w->next.credit_ns) ||
	       !budget_has(total,
			   OVERDRAFT * fmax(total->lowest_ns, -w->next.all_ns));
}

/* ---- Transitions ----------------------------------------------------------
 */

/* `ends_ns` 0: not by itself. */
void window_enter(struct window *w, enum window_state state, uint64_t ends_ns)
{
	uint64_t now = monotonic_ns(), lasted = now - w->now.begun_ns;

	w->history.watched_ns += lasted;
	if (window_sees_births(w))
		w->history.observed_ns += lasted;
	w->now = (struct window_phase){state, now, ends_ns};
	w->samples.sum = (struct progress_sample){0};
}

static double dice(void)
{
	return (double)random() / RAND_MAX;
}

void window_wait_for_credit(const struct tracer *t, struct window *w,
			    bool is_second)
{
	w->is_second = is_second;
	w->next = window_plan(
		&w->budget, &w->cost.rates,
		w->samples.births.wall_ns + w->samples.frees.wall_ns, dice());
	window_plan_all(&w->next, &t->windows.total, w->cost.largest);
	if (is_second)
		w->next.pause_ns = window_lag_ns(dice());
	else
		w->next.pause_ns *= 2;
	window_enter(w, WINDOW_CLOSED, 0);
}

static void open_window(struct tracer *t, struct tracee *e)
{
	struct window *w = &e->window;

	window_waits_begin(t, e);
	if (window_weights_begin(t, e) || window_lives_init(t) ||
	    window_set_probes(t, e)) {
		window_wait_for_credit(t, w, false);
		return;
	}
	/* What was done until now is not this window's. */
	window_accounts_settle(t);
	w->progress.unseen_ns = w->progress.all_ns - w->progress.seen_until;
	w->progress.unseen_wall_ns =
		(double)(monotonic_ns() - w->history.births_ns[1]);
	e->births_unseen = false;
	w->history.births_ns[0] = monotonic_ns();
	window_publish(t, e);
	t->windows.opened++;
	w->history.opened++;
	if (e == t->sharing.all) /* telling of so many takes a while */
		w->history.births_ns[0] = monotonic_ns();
	window_enter(w, WINDOW_BIRTHS,
		     w->history.births_ns[0] + w->next.births_ns);
}

static void end_births(struct tracer *t, struct tracee *e)
{
	struct window *w = &e->window;

	e->births_unseen = true;
	window_publish(t, e);
	w->history.births_ns[1] = monotonic_ns();
	window_accounts_settle(t);
	window_measure_rates(w);
	w->samples.births = w->samples.sum;
	w->progress.seen_until = w->progress.all_ns;
	window_unset_phase(t, e, PROBES_BIRTHS);
	window_accounts_settle(
		t); /* that it took a while is not the next part's business */
	window_enter(w, WINDOW_FREES, monotonic_ns() + w->next.frees_ns);
}

/* How long what was seen takes outside, by the target's own progress. */
static double by_progress_ns(const struct window_progress *p, double own_ns,
			     double wall_ns)
{
	if (!(p->unseen_ns > 0))
		return wall_ns;
	return fmin(own_ns * p->unseen_wall_ns / p->unseen_ns, wall_ns);
}

/* What it did in the births part, without what probes took. */
static double births_own_ns(const struct window_samples *s)
{
	return progress_seen(&s->comparison, &s->births);
}

/* What tells how long a part of a window takes outside of it. */
enum window_clock {
	CLOCK_TIME,
	CLOCK_PACE,	/* its frees, of those in the other part */
	CLOCK_PROGRESS, /* its own CPU time */
};

static enum window_clock clock_of(const struct window *w)
{
	if (w->progress.by_progress)
		return CLOCK_PROGRESS;
	if (!window_waits_long(&w->waits))
		return CLOCK_TIME;
	return progress_has_spare(&w->samples.comparison) ? CLOCK_PACE
							  : CLOCK_PROGRESS;
}

/*
 * How long what the births part has seen takes outside of it: as long, for a
 * target that has time to spare and need not wait for a CPU. One that waits is
 * slowed down; how much is told by its frees in the other part, or where it
 * has no time to spare there either, by its progress.
 */
static double births_outside_ns(const struct window *w)
{
	const uint64_t *births_ns = w->history.births_ns;
	double wall_ns = (double)(births_ns[1] - births_ns[0]);
	enum window_clock clock = clock_of(w);

	/* Of those that wait the pace is the most it can be. */
	if (clock != CLOCK_TIME && !w->progress.by_progress)
		wall_ns *= progress_pace(&w->samples.comparison);
	if (clock != CLOCK_PROGRESS)
		return wall_ns;
	return by_progress_ns(&w->progress, births_own_ns(&w->samples),
			      wall_ns);
}

/* The same for the other part. */
static double frees_outside_ns(const struct window *w)
{
	const struct window_samples *s = &w->samples;

	if (clock_of(w) != CLOCK_PROGRESS)
		return s->frees.wall_ns;
	return by_progress_ns(&w->progress,
			      progress_seen(&s->comparison, &s->frees),
			      s->frees.wall_ns);
}

/* Of all that it did since the last window, what this one has seen. */
static double share_seen(struct window *w)
{
	struct window_progress *p = &w->progress;
	bool busy = window_is_busy(&w->cost.rates);

	if (busy != p->by_progress)
		p->coverage = (struct coverage){0};
	p->by_progress = busy;
	if (busy)
		return coverage_add(&p->coverage, p->unseen_ns,
				    births_own_ns(&w->samples));
	return coverage_add(&p->coverage, p->unseen_wall_ns,
			    births_outside_ns(w));
}

/* The share is not known better than that. */
static double share_error(const struct window *w)
{
	switch (clock_of(w)) {
	case CLOCK_PROGRESS:
		return progress_error(&w->samples.comparison);
	case CLOCK_PACE:
		return PACE_ERROR;
	case CLOCK_TIME:
		break;
	}
	return 0;
}

static struct window_weight weigh(struct window *w)
{
	double share = share_seen(w);

	w->progress.error = share_error(w);
	return (struct window_weight){
		.share = share,
		.seconds = births_outside_ns(w) / share / 1e9,
		.born_from_ns = w->history.births_ns[0],
		.born_to_ns = w->history.births_ns[1],
	};
}

/* Returns for how long it has looked at blocks, seconds. */
static double note_lives(struct window *w, const struct window_weight *weight)
{
	const struct window_samples *s = &w->samples;
	struct window_history *h = &w->history;

	h->unseen_seconds += fmax(w->progress.unseen_wall_ns, 0) / 1e9;
	h->seen_seconds += (s->births.wall_ns + s->frees.wall_ns) / 1e9;
	h->past[h->past_count++ % WINDOWS_PAST] = (struct past_window){
		.middle_ns = h->births_ns[0] / 2 + h->births_ns[1] / 2,
		.stands_seconds = weight->seconds,
	};
	return (births_outside_ns(w) + frees_outside_ns(w)) / 1e9;
}

/* By both parts of the window that ends. */
static void compare_parts(struct window_samples *s)
{
	s->frees = s->sum;
	progress_compare(&s->comparison, &s->births, &s->frees);
	s->hit_factor = progress_factor(&s->comparison);
}

static void end_window(struct tracer *t, struct tracee *e)
{
	struct window *w = &e->window;
	struct window_weight weight;

	window_accounts_settle(t);
	window_waits_end(t, e);
	compare_parts(&w->samples);
	weight = weigh(w);
	window_weights_end(t, e, &weight);
	window_lives_end(t, e, note_lives(w, &weight));
	w->history.ended_ns = monotonic_ns();
	e->observed_share = window_share(weight.share);
	diag_debug("%s: observed for %.0f ms and %.0f ms, %.2f %% of "
		   "what it did (give or take %.0f %% of that); a hit costs "
		   "%.2f of what was calibrated",
		   window_name(t, e).text, w->samples.births.wall_ns / 1e6,
		   w->samples.frees.wall_ns / 1e6, 100 * weight.share,
		   100 * w->progress.error, w->samples.hit_factor);
	if (window_is_affordable(t, w)) {
		window_observe_always(t, e);
		return;
	}
	window_unset_phase(t, e, PROBES_FREES);
	window_wait_for_credit(t, w, !w->is_second);
}

/* ---- Following -------------------------------------------------------------
 */

static bool may_open(const struct tracer *t, const struct window *w,
		     uint64_t now_ns)
{
	int windows = w->is_second ? 1 : 2;
	/* What can never be saved up must not be waited for. */
	double of_all = fmin(w->next.all_ns * windows,
			     SAVED_SHARE * t->windows.total.highest_ns);

	return !t->windows.settling &&
	       now_ns - w->now.begun_ns >= w->next.pause_ns &&
	       budget_has(&w->budget, w->next.credit_ns * windows) &&
	       budget_has(&t->windows.total, of_all);
}

static void follow(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	struct window *w = &e->window;
	bool over = w->now.ends_ns && now_ns >= w->now.ends_ns;

	switch (w->now.state) {
	case WINDOW_ALWAYS:
		/* Samples that it draws itself are few, and come always. */
		if (e->go.object || e->own_sampler)
			break;
		if (!have_credit(t, w))
			window_leave_always(t, e);
		else if (now_ns >= w->now.begun_ns + RATES_NS)
			window_enter(w, WINDOW_ALWAYS, 0); /* rates anew */
		break;
	case WINDOW_CLOSED:
		if (may_open(t, w, now_ns))
			open_window(t, e);
		break;
	case WINDOW_BIRTHS:
		if (over || !have_credit(t, w))
			end_births(t, e);
		break;
	case WINDOW_FREES:
		if (over || is_overdrawn(t, w))
			end_window(t, e);
		break;
	}
}

/* When the next look is due: soon while something may run out. */
static uint64_t next_look(const struct tracer *t, uint64_t now_ns)
{
	uint64_t next = now_ns + LOOK_IDLE_NS;

	for (size_t i = 0; i < window_account_count(t); i++) {
		const struct window *w = &window_account(t, i)->window;
		bool busy = w->now.state != WINDOW_ALWAYS ||
			    w->budget.credit_ns < w->budget.highest_ns / 2;

		if (!window_leads(window_account(t, i)))
			continue;
		if (busy && next > now_ns + LOOK_BUSY_NS)
			next = now_ns + LOOK_BUSY_NS;
		if (w->now.ends_ns && next > w->now.ends_ns)
			next = w->now.ends_ns;
	}
	return v8_rests_next_look(t, now_ns + LOOK_BUSY_NS, next);
}

void windows_follow(struct tracer *t, uint64_t now_ns)
{
	if (!limited(t) || now_ns < t->windows.look_ns)
		return;
	window_accounts_settle(t);
	for (size_t i = 0; i < window_account_count(t); i++)
		if (window_leads(window_account(t, i)) &&
		    window_account(t, i)->meter)
			follow(t, window_account(t, i), now_ns);
	windows_end_always(t);
	v8_rests_follow(t, now_ns);
	t->windows.look_ns = next_look(t, monotonic_ns());
}

/* ---- Life ------------------------------------------------------------------
 */

void window_start(struct tracer *t, struct tracee *e)
{
	uint64_t now = monotonic_ns();

	e->window = (struct window){.now = {.begun_ns = now},
				    .cost = {.largest = 1}};
	e->window.samples.hit_factor =
		progress_factor(&e->window.samples.comparison);
	budget_start(&e->window.budget, t->options.max_overhead,
		     FIRST_CREDIT_NS, HIGHEST_CREDIT_NS, now);
	window_costs_start(t, e, now);
	t->windows.look_ns = now;
}

int windows_init(struct tracer *t)
{
	pthread_mutex_init(&t->windows.lock, NULL);
	pthread_mutex_init(&t->windows.turn, NULL);
	if (!limited(t))
		return 0;
	budget_start(&t->windows.total, t->options.max_overhead_total,
		     FIRST_CREDIT_NS * TOTAL_CREDITS,
		     HIGHEST_CREDIT_NS * TOTAL_CREDITS, monotonic_ns());
	srandom((unsigned)monotonic_ns());
	return windows_keeper_start(t);
}

void windows_free(struct tracer *t)
{
	windows_keeper_stop(t);
	free(t->windows.totals);
	free(t->windows.lives);
	pthread_mutex_destroy(&t->windows.lock);
	pthread_mutex_destroy(&t->windows.turn);
}
