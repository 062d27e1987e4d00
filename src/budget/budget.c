/* SPDX-License-Identifier: GPL-2.0-only */
#include "budget/budget.h"

#include <math.h>

/* Debts are at most what accrues in so much time. */
#define DEBT_NS 5e9
/* A window takes the credit of so much time, on average. */
#define CYCLE_NS 5e9
/* Shorter ones cost more to open and close than they see; longer ones are
 * better spread over time. */
#define BIRTHS_MIN_NS 10e6
#define BIRTHS_MAX_NS 1e9
/* The second part, in lengths of the first. */
#define FREES_PART 2.0
/* Rates that were measured as nothing. */
#define RATE_MIN 1e-3
/* Of a CPU, with what probes cost: then it may be at the end of what it can do.
 */
#define BUSY_SHARE 0.6
/* Slowed down much: cost per own CPU time. */
#define SLOW_SHARE 0.1
/* ... unless the budget says that this may be noticed. */
#define NOTICED_SHARE 0.05
/* Then windows take at most so much of the time, and are that long: in between
 * lies what is to be learnt of lifetimes, and how often one comes. */
#define SLOW_TIME_SHARE 0.008
#define SLOW_BIRTHS_NS	12e6
/* Longer than these there may be one, where the target becomes busy in it or
 * there is no CPU for us to end it in time: after that, no long silence. */
#define PAUSE_MOST_NS 10e9
#define SHARE_LEAST   1e-6
/* Between the two of a pair. */
#define LAG_LEAST_NS 0.1e9
#define LAG_MOST_NS  4e9
/* What older windows count when a new one is added. */
#define COVERAGE_MEMORY 0.8
/* A window stands for at most so many times more, or less, than usual; what is
 * left over is the next one's. The second of a pair has little to stand for:
 * were it made more, there would be too much until the next pair. */
#define UNUSUAL_MORE 2.0
#define UNUSUAL_LESS 8.0
#define OWED_MOST    2.0
/* Of the credit that may be saved up, a window takes at most that, as two of
 * them come in a pair. */
#define SAVED_SHARE 0.45

void budget_start(struct budget *b, double share, double credit_ns,
		  double highest_ns, uint64_t now_ns)
{
	*b = (struct budget){
		.share = share,
		.credit_ns = credit_ns,
		.highest_ns = highest_ns,
		.lowest_ns = -share * DEBT_NS,
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
	b->credit_ns = fmax(b->credit_ns - spent_ns, b->lowest_ns);
	if (now_ns > b->charged_ns)
		b->charged_ns = now_ns;
}

/* CPU time per length of the births part. */
static double cost_of_window(const struct window_rates *rates)
{
	return fmax(rates->births, RATE_MIN) +
	       FREES_PART * fmax(rates->frees, 0);
}

bool window_is_busy(const struct window_rates *rates)
{
	return rates->births + rates->progress > BUSY_SHARE;
}

static bool slowed_down(const struct budget *b,
			const struct window_rates *rates)
{
	return b->share < NOTICED_SHARE && window_is_busy(rates) &&
	       rates->births > SLOW_SHARE * rates->progress;
}

struct window_plan window_plan(const struct budget *b,
			       const struct window_rates *rates, double last_ns,
			       double random)
{
	double cost = cost_of_window(rates);
	double births = b->share * CYCLE_NS / cost, pause = 0;

	if (slowed_down(b, rates))
		births = fmin(births, SLOW_BIRTHS_NS);
	births = fmin(fmax(births * (0.5 + random), BIRTHS_MIN_NS),
		      BIRTHS_MAX_NS);
	/* What can never be saved up must not be waited for. */
	births = fmin(births, SAVED_SHARE * b->highest_ns / cost);
	if (slowed_down(b, rates))
		pause = fmin(last_ns / SLOW_TIME_SHARE, PAUSE_MOST_NS);
	return (struct window_plan){
		.credit_ns = births * cost,
		.all_ns = births * cost,
		.births_ns = (uint64_t)births,
		.frees_ns = (uint64_t)(births * FREES_PART),
		.pause_ns = (uint64_t)pause,
	};
}

uint64_t window_lag_ns(double random)
{
	return (uint64_t)(LAG_LEAST_NS *
			  pow(LAG_MOST_NS / LAG_LEAST_NS, random));
}

void window_plan_all(struct window_plan *plan, const struct budget *all,
		     double largest)
{
	double cost = plan->credit_ns / largest;
	double most =
		fmin(all->share * CYCLE_NS, SAVED_SHARE * all->highest_ns);
	double part = most / cost;

	plan->all_ns = cost;
	if (budget_unlimited(all) || largest >= 1 || part >= 1)
		return;
	plan->credit_ns *= part;
	plan->all_ns *= part;
	plan->births_ns = (uint64_t)((double)plan->births_ns * part);
	plan->frees_ns = (uint64_t)((double)plan->frees_ns * part);
}

double coverage_add(struct coverage *c, double unseen, double seen)
{
	double done = fmax(unseen, 0) + fmax(seen, 1), usual, weight;

	seen = fmax(seen, 1);
	c->seen = c->seen * COVERAGE_MEMORY + seen;
	c->done = c->done * COVERAGE_MEMORY + done;
	usual = c->done / c->seen;
	c->owed = fmin(fmax(c->owed + done, -OWED_MOST * c->done),
		       OWED_MOST * c->done);
	weight = fmin(fmax(c->owed / seen, usual / UNUSUAL_LESS),
		      usual * UNUSUAL_MORE);
	weight = fmin(fmax(weight, 1), 1 / SHARE_LEAST);
	c->owed -= weight * seen;
	return 1 / weight;
}
