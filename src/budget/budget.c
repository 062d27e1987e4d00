/* SPDX-License-Identifier: GPL-2.0-only */
#include "budget/budget.h"

#include <math.h>

/* A window waits for the credit of so much time, on average. */
#define CYCLE_NS 5e9
/* Shorter ones cost more to open and close than they see; longer ones are
 * better spread over time. */
#define BIRTHS_MIN_NS 20e6
#define BIRTHS_MAX_NS 400e6
/* The second part, in lengths of the first. */
#define FREES_PART 2.0
/* Rates that were measured as nothing. */
#define RATE_MIN 1e-3

void budget_start(struct budget *b, double share, double credit_ns,
		  double highest_ns, uint64_t now_ns)
{
	*b = (struct budget){
		.share = share,
		.credit_ns = credit_ns,
		.highest_ns = highest_ns,
		.charged_ns = now_ns,
	};
}

void budget_charge(struct budget *b, uint64_t now_ns, double spent_ns)
{
	double accrued = now_ns > b->charged_ns
				 ? b->share * (double)(now_ns - b->charged_ns)
				 : 0;

	/* What was there before may exceed the highest: it is not cut. */
	if (b->credit_ns < b->highest_ns)
		b->credit_ns = fmin(b->credit_ns + accrued, b->highest_ns);
	b->credit_ns -= spent_ns;
	if (now_ns > b->charged_ns)
		b->charged_ns = now_ns;
}

/* CPU time per length of the births part. */
static double cost_of_window(const struct window_rates *rates)
{
	return fmax(rates->births, RATE_MIN) +
	       FREES_PART * fmax(rates->frees, 0);
}

double window_credit_needed(const struct budget *b,
			    const struct window_rates *rates, double random)
{
	double usual = b->share * CYCLE_NS * (0.5 + random);

	return fmax(usual, BIRTHS_MIN_NS * cost_of_window(rates));
}

struct window_plan window_plan(double credit_ns,
			       const struct window_rates *rates)
{
	double births = credit_ns / cost_of_window(rates);

	births = fmin(fmax(births, BIRTHS_MIN_NS), BIRTHS_MAX_NS);
	return (struct window_plan){
		.births_ns = (uint64_t)births,
		.frees_ns = (uint64_t)(births * FREES_PART),
	};
}

void coverage_start(struct coverage *c, uint64_t now_ns)
{
	*c = (struct coverage){.until_ns = now_ns};
}

double coverage_begin(struct coverage *c, uint64_t now_ns, uint64_t planned_ns)
{
	double missed = now_ns > c->until_ns ? (double)(now_ns - c->until_ns)
					     : 0;

	c->begun_ns = now_ns;
	c->planned_ns = planned_ns;
	return (double)planned_ns / (missed + (double)planned_ns);
}

void coverage_end(struct coverage *c, uint64_t now_ns)
{
	double seen, stands_for;

	if (!c->begun_ns)
		return;
	seen = now_ns > c->begun_ns ? (double)(now_ns - c->begun_ns) : 0;
	stands_for = (double)c->planned_ns;
	if (c->begun_ns > c->until_ns)
		stands_for += (double)(c->begun_ns - c->until_ns);
	/* Each part of the births part stood for that much. */
	if (c->until_ns > c->begun_ns)
		c->until_ns += (uint64_t)seen;
	else
		c->until_ns += (uint64_t)(stands_for * seen /
					  (double)c->planned_ns);
	c->begun_ns = 0;
}
