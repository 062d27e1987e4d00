/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tracing may cost: a token bucket of CPU time. Credit accrues with the
 * time that passes, at the promised share of a CPU, and is spent by the work
 * that was measured. So over any time T no more than share * T + the credit it
 * began with is spent, whatever the target does, give or take what is spent
 * between two looks: on a machine that is too busy to let us look in time,
 * debts beyond the time it takes to save up a few windows are forgiven, or
 * nothing would be seen any more. Pure arithmetic: no clock, no I/O.
 */
#ifndef BUDGET_BUDGET_H
#define BUDGET_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	double share;	     /* CPU time per time; 0: without limit */
	double credit_ns;    /* negative: overdrawn */
	double highest_ns;   /* credit does not accrue beyond this, ... */
	double lowest_ns;    /* ... nor debt beyond this */
	uint64_t charged_ns; /* time of the last charge */
};

void budget_start(struct budget *b, double share, double credit_ns,
		  double highest_ns, uint64_t now_ns);
/* `spent_ns`: since the last charge. */
void budget_charge(struct budget *b, uint64_t now_ns, double spent_ns);
static inline bool budget_unlimited(const struct budget *b)
{
	return !(b->share > 0);
}
static inline bool budget_has(const struct budget *b, double needed_ns)
{
	return budget_unlimited(b) || b->credit_ns >= needed_ns;
}

/*
 * A window: probes on allocations and frees for `births_ns`, then on frees
 * only for `frees_ns`. What lives at its end is known to have lived through
 * the second part at least; of what is short-lived, the free has been seen.
 */
struct window_plan {
	double credit_ns; /* to be had before it is opened */
	double all_ns;	  /* ... of all who have it together */
	uint64_t births_ns, frees_ns;
	uint64_t pause_ns; /* to be waited before it is opened */
};

/*
 * Windows come in pairs: the second one sees which of the first one's blocks
 * are still there after some tenths of a second, or seconds: this long, the
 * logarithm of it evenly distributed. Pauses between pairs alone would be of
 * one length, and deaths at other ages not seen (life_table.h).
 */
uint64_t window_lag_ns(double random);

/* What a target did in the births part of its last window. */
struct window_rates {
	double births;	 /* cost, CPU time per time, with all probes */
	double samples;	 /* ... of that, what is done for samples only */
	double frees;	 /* ... of probes on frees */
	double progress; /* its own CPU time per time */
};

/*
 * The next window. `random` (0..1) varies its length and when it comes, so that
 * windows do not fall in step with what the target does. `last_ns`: how long
 * the last one was.
 *
 * A target that is busy, and slowed down much inside of windows, is kept out of
 * them for more than 99 % of the time: of its requests the slowest hundredth is
 * as it was. Not so with a budget of 5 % and more.
 */
struct window_plan window_plan(const struct budget *b,
			       const struct window_rates *rates, double last_ns,
			       double random);

/* Several processes have their windows together, one of which has the `largest`
 * part of the cost, and the window above was planned for: it becomes so short
 * that the budget of `all` lasts, too. */
void window_plan_all(struct window_plan *plan, const struct budget *all,
		     double largest);

/* A target that has time to spare does in a window what it does in as much time
 * outside. A busy one is slowed down. */
bool window_is_busy(const struct window_rates *rates);

/*
 * Of all that a target did, the share that a window has seen: both as time, or
 * where it is busy as progress (progress.h). What a single window has seen is
 * too uncertain to be divided by, so the last ones together say what is usual,
 * and what one window does not stand for the next ones do.
 */
struct coverage {
	double done, seen; /* of the last windows */
	double owed;	   /* nothing stands for it yet */
};

/* After a window: what was done since the one before without being seen, and
 * what was seen. The share, above 0, at most 1. */
double coverage_add(struct coverage *c, double unseen, double seen);

#endif
