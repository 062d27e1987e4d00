// SPDX-License-Identifier: GPL-2.0-only
#include "budget/rests.h"

#include <math.h>

/* May be spent at once: what accrues in so much time. Of that, a turn takes a
 * half on average. */
#define CREDIT_NS  8e9
#define TURN_SHARE 0.5
/* ... and before the first rest, at most. */
#define FIRST_CREDIT_NS 0.1e9
/* Shorter turns cost more to begin and to end than they see. */
#define TURN_MIN_NS 50e6
/* The rate while there are no rests is of so much time. */
#define RATE_NS 2e9
/* Rests that would be this small a part of the time are not worth it. */
#define REST_LEAST 0.1
/* A turn that has become dearer than the last one may overdraw by so much of
 * what it was to cost. */
#define OVERDRAFT 0.5
#define SCALE_MAX 1000.0

void rests_start(struct rests *r, double share, uint64_t now_ns)
{
	*r = (struct rests){
		.started_ns = now_ns,
		.begun_ns = now_ns,
		.scale = 1,
	};
	budget_start(&r->budget, share,
		     fmin(FIRST_CREDIT_NS, share * CREDIT_NS),
		     share * CREDIT_NS, now_ns);
}

void rests_charge(struct rests *r, uint64_t now_ns, double spent_ns)
{
	budget_charge(&r->budget, now_ns, spent_ns);
	if (!r->resting)
		r->spent_ns += spent_ns;
}

static double lasted(const struct rests *r, uint64_t now_ns)
{
	return now_ns > r->begun_ns ? (double)(now_ns - r->begun_ns) : 0;
}

static void begin(struct rests *r, bool resting, uint64_t now_ns)
{
	r->resting = resting;
	r->begun_ns = now_ns;
	r->spent_ns = 0;
}

static bool is_affordable(const struct rests *r)
{
	return r->rate <= r->budget.share * (1 + REST_LEAST);
}

/* The turn is over: what it cost, and what its samples stand for. */
static void settle_turn(struct rests *r, uint64_t now_ns)
{
	double ns = lasted(r, now_ns);

	r->rate = r->spent_ns / fmax(ns, 1);
	r->owed_ns -= (r->scale - 1) * ns;
}

static enum rests_step rest(struct rests *r, uint64_t now_ns, double random)
{
	r->needed_ns = r->budget.highest_ns * TURN_SHARE * (0.5 + random);
	begin(r, true, now_ns);
	return RESTS_REST;
}

static enum rests_step resume(struct rests *r, uint64_t now_ns)
{
	/* Credit accrues meanwhile. */
	double net = r->rate - r->budget.share;
	double turn = is_affordable(r) ? CREDIT_NS
				       : fmax(r->needed_ns / net, TURN_MIN_NS);

	r->owed_ns += lasted(r, now_ns);
	r->rested_ns += lasted(r, now_ns);
	r->turn_ns = (uint64_t)turn;
	r->scale = fmin(fmax(1 + r->owed_ns / turn, 1), SCALE_MAX);
	begin(r, false, now_ns);
	return RESTS_RESUME;
}

/* It costs what it may: no rest until that changes. */
static enum rests_step stay(struct rests *r, uint64_t now_ns)
{
	r->turn_ns = 0;
	r->scale = 1;
	begin(r, false, now_ns);
	return RESTS_RESCALE;
}

enum rests_step rests_step(struct rests *r, uint64_t now_ns, double random)
{
	double credit = r->budget.credit_ns, ns = lasted(r, now_ns);

	if (budget_unlimited(&r->budget))
		return RESTS_NOTHING;
	if (r->resting)
		return credit >= r->needed_ns ? resume(r, now_ns)
					      : RESTS_NOTHING;
	if (credit < (r->turn_ns ? -OVERDRAFT * r->needed_ns : 0)) {
		settle_turn(r, now_ns);
		return rest(r, now_ns, random);
	}
	if (ns < (r->turn_ns ? (double)r->turn_ns : RATE_NS))
		return RESTS_NOTHING;
	if (!r->turn_ns) {
		begin(r, false, now_ns); /* rates anew */
		return RESTS_NOTHING;
	}
	settle_turn(r, now_ns);
	return is_affordable(r) ? stay(r, now_ns) : rest(r, now_ns, random);
}

uint64_t rests_due_ns(const struct rests *r)
{
	return !r->resting && r->turn_ns ? r->begun_ns + r->turn_ns : 0;
}

double rests_seen_share(const struct rests *r, uint64_t now_ns)
{
	double rested = r->rested_ns + (r->resting ? lasted(r, now_ns) : 0);

	if (now_ns <= r->started_ns || !(rested > 0))
		return 1;
	return fmin(fmax(1 - rested / (double)(now_ns - r->started_ns), 0), 1);
}
