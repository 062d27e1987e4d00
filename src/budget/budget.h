/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What tracing may cost: a token bucket of CPU time. Credit accrues with the
 * time that passes, at the promised share of a CPU, and is spent by the work
 * that was measured. So over any time T no more than share * T + the credit it
 * began with is spent, whatever the target does, give or take what is spent
 * between two looks. Pure arithmetic: no clock, no I/O.
 */
#ifndef BUDGET_BUDGET_H
#define BUDGET_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

struct budget {
	double share;	   /* CPU time per time; 0: without limit */
	double credit_ns;  /* negative: overdrawn */
	double highest_ns; /* credit does not accrue beyond this */
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

/*
 * A window: probes on allocations and frees for `births_ns`, then on frees
 * only for `frees_ns`. What lives at its end is known to have lived through
 * the second part at least; of what is short-lived, the free has been seen.
 */
struct window_plan {
	uint64_t births_ns, frees_ns;
};

/* What a target costs while it is observed, CPU time per time. */
struct window_rates {
	double births; /* with all probes */
	double frees;  /* with those on frees only */
};

/* Credit that a window should have before it is opened: some for a window of
 * useful length, times `random` (0..1 gives 0.5..1.5) so that windows do not
 * fall in step with what the target does. */
double window_credit_needed(const struct budget *b,
			    const struct window_rates *rates, double random);
/* Windows that spend `credit_ns`, within limits. */
struct window_plan window_plan(double credit_ns,
			       const struct window_rates *rates);

/*
 * The share of allocations that windows see, block by block: those in the
 * births part stand for all since that of the window before. A part that turns
 * out shorter or longer than planned leaves time that nothing stands for, or
 * that was stood for twice: the next window makes up for it.
 */
struct coverage {
	uint64_t until_ns; /* time before this is accounted for */
	uint64_t begun_ns; /* of the births part that is open; 0: none is */
	uint64_t planned_ns;
};

void coverage_start(struct coverage *c, uint64_t now_ns);
/* The share, 0 to 1, that holds from now on until coverage_end. */
double coverage_begin(struct coverage *c, uint64_t now_ns, uint64_t planned_ns);
void coverage_end(struct coverage *c, uint64_t now_ns);

#endif
