/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes that cost more than they may take turns with rests, in which they are
 * out of place. As with windows (budget.h) credit accrues at the promised share
 * of a CPU; a rest lasts until there is enough of it, a turn for as long as
 * that should do, by what the last one cost. So what a sample of a turn stands
 * for is known when the turn begins: for the rest before it, too. Pure
 * arithmetic: no clock, no I/O.
 */
#ifndef BUDGET_RESTS_H
#define BUDGET_RESTS_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/budget.h"

struct rests {
	struct budget budget;
	uint64_t started_ns;
	bool resting;
	uint64_t begun_ns; /* the turn, or the rest */
	uint64_t turn_ns;  /* as planned; 0: until it is too expensive */
	double spent_ns;   /* in this turn */
	double rate;	   /* of the last one: CPU time per time */
	double needed_ns;  /* credit, before the next turn */
	double owed_ns;	  /* time that no sample stands for; negative: two do */
	double scale;	  /* of what samples stand for: 1 and more */
	double rested_ns; /* in all, without the present rest */
};

enum rests_step {
	RESTS_NOTHING,
	RESTS_REST,   /* take the probes out */
	RESTS_RESUME, /* set them, with a new scale */
	RESTS_RESCALE /* they stay, with a new scale */
};

/* `share` of a CPU; 0: without limit. The first turn begins. */
void rests_start(struct rests *r, double share, uint64_t now_ns);
/* `spent_ns`: since the last charge. */
void rests_charge(struct rests *r, uint64_t now_ns, double spent_ns);
/* What is to be done now. `random` (0..1) varies how long rests and turns are,
 * so that they do not fall in step with what the target does. */
enum rests_step rests_step(struct rests *r, uint64_t now_ns, double random);
/* When the turn ends; 0: it does not by itself. */
uint64_t rests_due_ns(const struct rests *r);
/* Of the time so far, the share that was no rest. */
double rests_seen_share(const struct rests *r, uint64_t now_ns);

#endif
