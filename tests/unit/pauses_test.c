// SPDX-License-Identifier: GPL-2.0-only
/* What a collector's pauses allow probes to cost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "budget/pauses.h"

#define SECOND 1e9
#define HIT_NS 700

/* A program that is looked at ten times a second. */
struct program {
	double pauses_per_second, pause_ns;
	double hits_per_pause, hits_between_per_second;
	double seconds;
};

static struct pauses watch(const struct program *p)
{
	struct pauses pauses = {0};
	struct pauses fresh = {
		.wall_ns = SECOND / 10,
		.count = p->pauses_per_second / 10,
		.ns = p->pauses_per_second * p->pause_ns / 10,
		.hits_in = p->pauses_per_second * p->hits_per_pause / 10,
	};

	fresh.hits = fresh.hits_in + p->hits_between_per_second / 10;
	for (int i = 0; i < 10 * p->seconds; i++)
		pauses_add(&pauses, &fresh);
	return pauses;
}

static double cost(const struct program *p)
{
	return (p->pauses_per_second * p->hits_per_pause +
		p->hits_between_per_second) *
	       HIT_NS / SECOND;
}

static void assert_near(double seen, double expected)
{
	if (!(fabs(seen - expected) <= 0.01 * expected))
		fail_msg("%g, expected %g", seen, expected);
}

static void long_pauses_may_grow_by_two_hundredths(void **state)
{
	/* Hits take 9.3 % of the pauses. */
	struct program p = {11, 12e6, 1600, 5000, 120};
	struct pauses pauses = watch(&p);

	(void)state;
	/* Observed that much of the time they make two hundredths. */
	assert_near(pauses_share(&pauses) / cost(&p),
		    0.02 / (1600 * HIT_NS / 12e6));
}

static void short_ones_may_grow_by_a_tenth_of_a_millisecond(void **state)
{
	struct program p = {10, 1e6, 300, 1000, 120};
	struct pauses pauses = watch(&p);

	(void)state;
	assert_near(pauses_share(&pauses) / cost(&p), 0.1e6 / (300 * HIT_NS));
}

static void hits_elsewhere_are_not_their_business(void **state)
{
	struct program p = {10, 1e6, 0, 1e6, 120};
	struct pauses pauses = watch(&p);

	(void)state;
	assert_true(isinf(pauses_share(&pauses)));
	p.hits_per_pause = 100;
	pauses = watch(&p);
	assert_true(pauses_share(&pauses) > cost(&p));
}

static void a_few_tell_nothing(void **state)
{
	struct program few_pauses = {0.5, 12e6, 1600, 5000, 7};
	struct program few_hits = {10, 12e6, 10, 0, 7};
	struct pauses pauses = watch(&few_pauses);

	(void)state;
	assert_true(isinf(pauses_share(&pauses)));
	pauses = watch(&few_hits);
	assert_true(isinf(pauses_share(&pauses)));
	pauses = (struct pauses){0};
	assert_true(isinf(pauses_share(&pauses)));
}

/* Hits are known of the time in windows only; pauses always. */
static void what_is_not_observed_does_not_change_it(void **state)
{
	struct program p = {11, 12e6, 1600, 5000, 120};
	struct pauses pauses = watch(&p);
	double before = pauses_share(&pauses);
	struct pauses unseen = {
		.wall_ns = SECOND,
		.count = 11,
		.ns = 11 * 12e6,
	};

	(void)state;
	for (int i = 0; i < 30; i++)
		pauses_add(&pauses, &unseen);
	assert_near(pauses_share(&pauses), before);
}

static void pauses_that_are_over_are_forgotten(void **state)
{
	struct program p = {11, 12e6, 1600, 5000, 120};
	struct pauses pauses = watch(&p);
	struct pauses quiet = {.wall_ns = SECOND / 10, .hits = 500};

	(void)state;
	for (int i = 0; i < 10 * 3600; i++)
		pauses_add(&pauses, &quiet);
	assert_true(isinf(pauses_share(&pauses)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_pauses_may_grow_by_two_hundredths),
		cmocka_unit_test(
			short_ones_may_grow_by_a_tenth_of_a_millisecond),
		cmocka_unit_test(hits_elsewhere_are_not_their_business),
		cmocka_unit_test(a_few_tell_nothing),
		cmocka_unit_test(what_is_not_observed_does_not_change_it),
		cmocka_unit_test(pauses_that_are_over_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
