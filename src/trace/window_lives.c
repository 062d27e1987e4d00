// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_lives.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/kept_share.h"
#include "trace/tracer_internal.h"
#include "trace/window_owners.h"

int window_lives_init(struct tracer *t)
{
	if (!t->windows.lives)
		t->windows.lives =
			calloc(t->plan.stacks, sizeof(*t->windows.lives));
	return t->windows.lives ? 0 : -ENOMEM;
}

/* What was at risk is counted from nothing again, by the next pass. */
static void add_window(struct window_life *w, struct stack_lives *seen,
		       double seconds)
{
	double died[LIFE_CLASSES], at_risk[LIFE_CLASSES];

	for (int i = 0; i < LIFE_CLASSES; i++) {
		uint64_t deaths =
			__atomic_load_n(&seen->deaths[i], __ATOMIC_RELAXED);

		died[i] = (double)(deaths - w->deaths[i]);
		at_risk[i] = (double)seen->at_risk[i];
		seen->at_risk[i] = 0;
		w->deaths[i] = deaths;
	}
	life_table_add(&w->table, died, at_risk, seconds);
}

void window_lives_end(struct tracer *t, const struct tracee *e, double seconds)
{
	struct window_owners owners;

	if (window_owners_find(t, e, &owners))
		return;
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++)
		if (window_owners_have(&owners, &t->stack_stats[id]))
			add_window(&t->windows.lives[id], &t->stack_lives[id],
				   seconds);
	window_owners_free(&owners);
}

/* When what is born and dies is not seen all the time: until the last window,
 * as of the births since then nothing is known either. */
struct unseen {
	uint64_t from_ns, to_ns;
	double window_seconds; /* in one, a block is seen for so long */
	double share;	       /* of the time between */
	const struct window *window;
};

static struct unseen unseen_of(const struct window *w)
{
	const struct window_history *h = &w->history;
	const struct window_samples *last = &w->samples;

	return (struct unseen){
		.from_ns = h->first_ns,
		.to_ns = w->now.state == WINDOW_ALWAYS ? w->now.begun_ns
						       : h->ended_ns,
		.window_seconds =
			(last->births.wall_ns / 2 + last->frees.wall_ns) / 1e9,
		.share = h->unseen_seconds /
			 fmax(h->unseen_seconds + h->seen_seconds, 1e-9),
		.window = w,
	};
}

/* Blocks were not born all over a cohort's time, but in the windows in it. */
struct births {
	double time_ns; /* mean */
	double spread_seconds;
};

static struct births births_in(const struct window *w, uint64_t begin,
			       uint64_t end)
{
	double all = 0, all_squared = 0, sum = 0, squares = 0, times = 0;

	for (uint64_t i = 0; i < w->history.past_count && i < WINDOWS_PAST;
	     i++) {
		const struct past_window *p = &w->history.past[i];
		double s = p->stands_seconds;

		all += s;
		all_squared += s * s;
		if (p->middle_ns < begin || p->middle_ns >= end)
			continue;
		sum += s;
		squares += s * s;
		times += s * (double)(p->middle_ns - begin);
	}
	if (sum > 0)
		return (struct births){(double)begin + times / sum,
				       squares / sum};
	/* Older than that: what is usual. */
	return (struct births){(double)begin + (double)(end - begin) / 2,
			       all > 0 ? all_squared / all : 0};
}

/* The share of a cohort, born in [begin, end), that lives. */
static double share_alive(const struct life_table *table,
			  const struct unseen *u, uint64_t begin, uint64_t end)
{
	uint64_t middle = begin + (end - begin) / 2;
	struct births births;

	if (middle < u->from_ns)
		return life_table_share(
			table, (double)(u->from_ns - middle) / 1e9,
			(double)(u->to_ns - middle) / 1e9, 0, u->share);
	if (begin >= u->to_ns)
		return 1;
	births = births_in(u->window, begin, end);
	return life_table_share(table, u->window_seconds,
				((double)u->to_ns - births.time_ns) / 1e9,
				births.spread_seconds, u->share);
}

static double live_bytes(const struct stack_stats *s)
{
	double sum = 0;

	for (int i = 0; i < COHORTS; i++)
		sum += (double)s->cohort_bytes[i];
	return fmax(sum, 0);
}

static double live_samples(const struct stack_stats *s)
{
	return s->alloc_samples > s->freed_samples
		       ? (double)(s->alloc_samples - s->freed_samples)
		       : 0;
}

/* Since a cohort, born in [begin, end), was seen to live. */
static double unseen_seconds(const struct unseen *u, uint64_t begin,
			     uint64_t end)
{
	uint64_t middle = begin + (end - begin) / 2;

	if (middle < u->from_ns)
		middle = u->from_ns;
	return middle < u->to_ns ? u->share * (double)(u->to_ns - middle) / 1e9
				 : 0;
}

/* Where blocks were found gone, others that seem to live may be, too. Batches
 * die at once, and in no window perhaps: then few deaths in windows prove
 * little. */
static double not_gone_share(double live, double gone)
{
	return live > 0 ? live / (live + gone) : 0;
}

static void apply(const struct life_table *table, double gone,
		  const struct unseen *u, const struct cohort_layout *l,
		  uint64_t now_ns, struct stack_stats *s)
{
	double bytes = 0, objects = 0, bytes_kept = 0, objects_kept = 0;
	double surely = 0, most;

	most = life_table_hazard_most(table,
				      live_bytes(s) / fmax(live_samples(s), 1));

	for (uint32_t i = 0; i < l->count && i < COHORTS; i++) {
		__s64 *b = &s->cohort_bytes[l->slot[i] % COHORTS];
		__s64 *o = &s->cohort_objects_q8[l->slot[i] % COHORTS];
		uint64_t end = i + 1 < l->count ? l->start_ns[i + 1] : now_ns;
		/* The first has no beginning. */
		uint64_t begin = i ? l->start_ns[i] : s->first_alloc_ns;
		double share =
			end > begin ? share_alive(table, u, begin, end) : 1;

		bytes += (double)*b;
		objects += (double)*o;
		*b = (int64_t)((double)*b * share);
		*o = (int64_t)((double)*o * share);
		bytes_kept += (double)*b;
		objects_kept += (double)*o;
		surely +=
			(double)*b * exp(-most * unseen_seconds(u, begin, end));
	}
	surely *= not_gone_share(bytes, gone);
	s->surely_live_bytes = (uint64_t)fmax(surely, 0);
	if (bytes > 0 && objects > 0)
		stack_stats_keep(s, fmax(bytes_kept / bytes, 0),
				 fmin(fmax(objects_kept / objects, 0), 1));
}

void window_lives_apply(struct tracer *t, uint32_t id, uint64_t now_ns,
			struct stack_stats *s)
{
	struct tracee *e;
	struct unseen u;

	if (!t->windows.lives || s->source != STACK_SOURCE_NATIVE)
		return; /* none is observed in windows */
	e = tracee_find(t, (pid_t)s->tgid);
	if (e)
		e = sharing_account(t, e);
	if (!e)
		return;
	if (!e->window.history.first_ns) {
		s->surely_live_bytes = (uint64_t)live_bytes(s);
		return;
	}
	u = unseen_of(&e->window);
	apply(&t->windows.lives[id].table, (double)t->stack_lives[id].gone, &u,
	      &t->cohorts.readable, now_ns, s);
}

void window_lives_forget(struct tracer *t, uint32_t id)
{
	memset(&t->stack_lives[id], 0, sizeof(t->stack_lives[id]));
	if (t->windows.lives)
		memset(&t->windows.lives[id], 0, sizeof(t->windows.lives[id]));
}
