/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Keeping the promise of what tracing costs. A target whose probes cost less
 * than the budget is observed all the time. Another one is observed in windows
 * (budget/budget.h): its probes on allocations and frees are taken out and set
 * again, and each block seen stands for those between the windows, too.
 * Included by tracer_internal.h.
 */
#ifndef TRACE_WINDOWS_H
#define TRACE_WINDOWS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "budget/budget.h"
#include "budget/progress.h"
#include "leakbpf/abi_user.h"
#include "probe/link.h"
#include "trace/window_lives.h"
#include "trace/window_waits.h"
#include "trace/window_weights.h"

struct tracer;
struct tracee;

enum window_state {
	WINDOW_ALWAYS, /* observed all the time */
	WINDOW_CLOSED, /* waits for credit */
	WINDOW_BIRTHS,
	WINDOW_FREES,
};

/* What it does now. */
struct window_phase {
	enum window_state state;
	uint64_t begun_ns;
	uint64_t ends_ns; /* as planned; 0: it does not by itself */
};

/* Counters as of the last look, and what has been added since
 * (window_costs.c). */
struct window_meter {
	uint64_t hits[METER_KINDS];
	double cpu_ns;
	uint64_t read_ns;
	struct progress_sample fresh;
	double fresh_pages_ns;
	double fresh_maps_ns; /* of `fresh`: memory maps */
	double fresh_v8_ns;   /* ... and V8's allocations */
	double recent_ns;     /* cost, of one that shares probes */
};

/* What it costs per time (window_accounts.c). */
struct window_cost {
	struct window_rates rates; /* as last measured */
	double usual_births;	   /* of the last ones; a short window may see
				    * none of what comes in bursts */
	double other_rate;	   /* of probes that stay, smoothed */
	/* The part of the process that has most of it: it must keep to the
	 * budget. 1 but for all that share probes. */
	double largest;
};

/* What it did in the parts of a window, and what its hits cost by that. */
struct window_samples {
	struct progress_sample sum;	      /* since the state began */
	struct progress_sample births, frees; /* the last window */
	struct progress_comparison comparison;
	double hit_factor; /* progress.h */
};

/* How far it has come, and how much of that windows stand for. */
struct window_progress {
	double all_ns;
	double seen_until;
	double unseen_ns, unseen_wall_ns; /* before the last window */
	bool by_progress; /* what its windows stand for (budget.h) */
	struct coverage coverage;
	double error; /* how far off that may be: a share, standard deviation */
};

/* When blocks were seen to be born, and the time that they stand for. */
struct past_window {
	uint64_t middle_ns;
	double stands_seconds;
};
#define WINDOWS_PAST 16

/* The windows so far, and the time in and between them. */
struct window_history {
	uint64_t births_ns[2]; /* when the last births part began (0: observed
				* all the time), ended */
	uint64_t first_ns;     /* when it was first not observed */
	uint64_t ended_ns;     /* the last window */
	double unseen_seconds; /* before windows, sum */
	double seen_seconds;   /* in windows */
	struct past_window past[WINDOWS_PAST]; /* the last ones, a ring */
	uint64_t past_count;
	struct cluster_times times;	  /* that they stand for */
	uint64_t watched_ns, observed_ns; /* until the state began */
	uint64_t opened;
};

/* Of one tracee, with those that share its memory. */
struct window {
	struct window_phase now;
	struct window_plan next; /* or the one that is open */
	bool is_second;		 /* ... of a pair (budget.h) */
	bool leaves_always;	 /* its probes are being taken out */
	struct budget budget;
	struct budget maps; /* what memory maps may cost (large_blocks.h) */
	struct window_meter meter;
	struct window_cost cost;
	struct window_samples samples;
	struct window_progress progress;
	struct window_waits waits;
	struct window_history history;
};

static inline bool window_is_open(const struct window *w)
{
	return w->now.state == WINDOW_BIRTHS || w->now.state == WINDOW_FREES;
}

static inline bool window_sees_births(const struct window *w)
{
	return w->now.state == WINDOW_ALWAYS || w->now.state == WINDOW_BIRTHS;
}

struct windows {
	struct budget total;
	uint64_t look_ns; /* the next one is due */
	/* At the last look, of all targets. */
	uint64_t sample_ns, return_ns, pages_ns;
	uint64_t opened; /* windows so far */
	/* By all targets, with what a hit costs there, and by others that map
	 * what they share the probes of. */
	double spent_ns;
	uint64_t bystander_hits;    /* at the last look */
	struct probe_links closing; /* of those that go over to windows */
	bool settling;		    /* none is opened: tracer_settle waits */
	bool refused;		    /* said that there cannot be any */
	bool meter_used[METERS_MAX];
	struct window_totals *totals; /* by stack; NULL: not needed yet */
	struct window_life *lives;    /* the same */
	pthread_mutex_t lock, turn;   /* window_keeper.c */
	pthread_t keeper;
	bool keeper_runs, stopping;
	bool hurried; /* the main thread has the keeper's priority */
	pid_t main_thread;
	int main_nice;
};

/* Nothing is done without a limit (tracer_options). 0 or -errno. */
int windows_init(struct tracer *t);
void windows_free(struct tracer *t);
/* A process that has just been attached; its probes are set. */
void window_start(struct tracer *t, struct tracee *e);
/* Looks at what was spent, opens and closes. */
void windows_follow(struct tracer *t, uint64_t now_ns);
/* ms until something is to be done, at most `most`. */
int windows_wait_ms(const struct tracer *t, uint64_t now_ns, int most);
/* While one is open, figures hold blocks whose end will be seen in it. */
bool windows_open(const struct tracer *t);

/* window_keeper.c: a thread that calls windows_follow when something is due.
 * Who changes tracees, sites or probes holds the lock. start: 0 or -errno. */
int windows_keeper_start(struct tracer *t);
void windows_keeper_stop(struct tracer *t);
void windows_lock(struct tracer *t);
void windows_unlock(struct tracer *t);

/* Of the time that targets have been watched, the share that was observed. */
double windows_observed_share(const struct tracer *t, uint64_t now_ns);

/* read.c: what a hit costs the target where it is emulated, ns: the trap and
 * the program's work, without what a sampled block takes; what one on a stepped
 * instruction costs, in such hits; what samples have cost all targets so
 * far without their return probes, and what those have, ns. */
uint64_t tracer_hit_ns(const struct tracer *t);
uint32_t tracer_stepped_units(const struct tracer *t);
uint64_t tracer_sample_ns(const struct tracer *t);
uint64_t tracer_return_ns(const struct tracer *t);
/* What following pages has cost all targets. */
uint64_t tracer_pages_ns(const struct tracer *t);

#endif
