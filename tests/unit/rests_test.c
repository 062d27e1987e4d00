/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes that rest in between, on simulated targets: what they cost stays
 * within their share, and samples stand for all that happened.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "budget/rests.h"

#define SECOND 1000000000ULL
#define LOOK   50000000ULL /* between two looks, ns */
#define SHARE  0.015

struct life {
	struct rests rests;
	uint64_t now_ns;
	double spent_ns;
	double seen;	  /* weighted by what samples stand for */
	double seconds;	  /* that it is about */
	unsigned changes; /* of the probes */
};

static double dice(void)
{
	return (double)random() / RAND_MAX;
}

static void life_start(struct life *l)
{
	*l = (struct life){.now_ns = SECOND};
	rests_start(&l->rests, SHARE, SECOND);
}

/* For so long, a target whose probes cost `rate` while they are set. */
static void live(struct life *l, double rate, double seconds)
{
	uint64_t end = l->now_ns + (uint64_t)(seconds * 1e9);

	while (l->now_ns < end) {
		uint64_t due = rests_due_ns(&l->rests);
		uint64_t next = l->now_ns + LOOK;
		double ns;

		if (due > l->now_ns && due < next)
			next = due;
		ns = (double)(next - l->now_ns);
		l->now_ns = next;
		if (l->rests.resting) {
			rests_charge(&l->rests, next, 0);
		} else {
			l->seen += l->rests.scale * ns / 1e9;
			l->spent_ns += rate * ns;
			rests_charge(&l->rests, next, rate * ns);
		}
		l->seconds += ns / 1e9;
		l->changes +=
			rests_step(&l->rests, next, dice()) != RESTS_NOTHING;
	}
}

static void what_is_affordable_never_rests(void **state)
{
	struct life l;

	(void)state;
	life_start(&l);
	live(&l, 0.9 * SHARE, 3600);
	assert_int_equal(l.changes, 0);
	assert_true(l.rests.scale == 1);
	assert_true(rests_seen_share(&l.rests, l.now_ns) == 1);
}

static void without_a_limit_there_are_no_rests(void **state)
{
	struct rests r;

	(void)state;
	rests_start(&r, 0, SECOND);
	rests_charge(&r, 2 * SECOND, 0.9e9);
	assert_int_equal(rests_step(&r, 2 * SECOND, 0.5), RESTS_NOTHING);
}

/* Twice the share, ten times, all of a CPU. */
static const double rates[] = {2 * SHARE, 0.15, 1};

static void what_it_costs_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct life l;
		double first_ns = 0.1e9, most;

		life_start(&l);
		live(&l, rates[i], 600);
		/* A look comes up to 50 ms late. */
		most = SHARE * 600e9 + first_ns + rates[i] * LOOK * 2;
		if (l.spent_ns > most)
			fail_msg("rate %.2f: %.2f s spent, at most %.2f",
				 rates[i], l.spent_ns / 1e9, most / 1e9);
		/* ... and nearly all of it is used. */
		assert_true(l.spent_ns > 0.8 * SHARE * 600e9);
	}
}

static void samples_stand_for_all_that_happened(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct life l;
		double ratio;

		life_start(&l);
		live(&l, rates[i], 600);
		ratio = l.seen / l.seconds;
		if (fabs(ratio - 1) > 0.05)
			fail_msg("rate %.2f: %.3f of the time told", rates[i],
				 ratio);
	}
}

/* So they do where it changes all the time what they cost. */
static void so_they_do_on_a_moody_target(void **state)
{
	struct life l;
	double ratio;

	(void)state;
	life_start(&l);
	for (int i = 0; i < 200; i++)
		live(&l, dice() < 0.5 ? 0.02 : 0.4 * dice(), 0.1 + 8 * dice());
	ratio = l.seen / l.seconds;
	if (fabs(ratio - 1) > 0.1)
		fail_msg("%.3f of the time told", ratio);
	assert_true(l.spent_ns < SHARE * 1.3 * l.seconds * 1e9 + 0.1e9);
}

static void they_end_when_it_becomes_affordable(void **state)
{
	struct life l;
	unsigned changes;

	(void)state;
	life_start(&l);
	live(&l, 0.15, 60);
	live(&l, 0.5 * SHARE, 60);
	changes = l.changes;
	assert_false(l.rests.resting);
	assert_true(l.rests.scale == 1);
	live(&l, 0.5 * SHARE, 600);
	assert_int_equal(l.changes, changes);
	assert_true(l.rests.scale == 1);
}

static void the_share_of_time_that_was_seen_is_told(void **state)
{
	struct life l;
	double share;

	(void)state;
	life_start(&l);
	live(&l, 0.15, 600);
	share = rests_seen_share(&l.rests, l.now_ns);
	if (fabs(share - SHARE / 0.15) > 0.02)
		fail_msg("%.3f of the time, expected %.3f", share,
			 SHARE / 0.15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_affordable_never_rests),
		cmocka_unit_test(without_a_limit_there_are_no_rests),
		cmocka_unit_test(what_it_costs_is_kept),
		cmocka_unit_test(samples_stand_for_all_that_happened),
		cmocka_unit_test(so_they_do_on_a_moody_target),
		cmocka_unit_test(they_end_when_it_becomes_affordable),
		cmocka_unit_test(the_share_of_time_that_was_seen_is_told),
	};

	srandom(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
