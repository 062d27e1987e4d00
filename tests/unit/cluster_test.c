/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What windows say of call paths whose truth is known: how often the interval
 * covers it, and that it is no wider than it need be.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "budget/cluster.h"

#define RUNS	2000
#define WINDOWS 30

static double uniform(void)
{
	return (double)rand() / RAND_MAX;
}

/* What one call path does in windows that stand for about a second each, on
 * average 1,000 bytes: `bursts` a second of equal size, 0: evenly. */
static double in_window(double seconds, double bursts)
{
	double sum = 0;

	if (bursts == 0)
		return 1000 * seconds;
	/* Exponential times between them. */
	for (double at = 0;;) {
		at -= log(uniform() + 1e-300) / bursts;
		if (at > seconds)
			return sum;
		sum += 1000 / bursts;
	}
}

struct outcome {
	double covered; /* share of runs */
	double width;	/* mean standard deviation, share of the truth */
};

static struct outcome watch(double bursts)
{
	struct outcome o = {0, 0};

	for (int run = 0; run < RUNS; run++) {
		struct cluster_times times = {0};
		struct cluster_sums sums = {0};
		double error, truth = 0;

		for (int i = 0; i < WINDOWS; i++) {
			double seconds = 0.5 + uniform();

			truth += 1000 * seconds;
			cluster_add_time(&times, seconds);
			cluster_add(&sums, in_window(seconds, bursts), seconds);
		}
		error = sqrt(cluster_variance(&sums, &times));
		o.covered += fabs(sums.bytes - truth) <= 1.96 * error + 1e-6;
		o.width += error / truth;
	}
	o.covered /= RUNS;
	o.width /= RUNS;
	return o;
}

static void even_allocation_leaves_nothing_to_chance(void **state)
{
	struct outcome o = watch(0);

	(void)state;
	if (o.width > 1e-6)
		fail_msg("expected no error, got %g of the truth", o.width);
}

/* Seen is a burst in so many windows: its share of them is known to 1 / sqrt of
 * the bursts seen. */
static void bursts_are_known_by_how_many_were_seen(void **state)
{
	(void)state;
	for (double bursts = 0.5; bursts <= 8; bursts *= 4) {
		double expected = 1 / sqrt(WINDOWS * bursts);
		struct outcome o = watch(bursts);

		if (fabs(o.width / expected - 1) > 0.15)
			fail_msg(
				"%g a second: expected %g of the truth, got %g",
				bursts, expected, o.width);
		if (o.covered < 0.88)
			fail_msg("%g a second: covered in %g of the runs",
				 bursts, o.covered);
	}
}

static void one_window_tells_of_no_other(void **state)
{
	struct cluster_times times = {0};
	struct cluster_sums sums = {0};

	(void)state;
	assert_true(cluster_variance(&sums, &times) == 0);
	cluster_add_time(&times, 1);
	cluster_add(&sums, 300, 1);
	assert_true(cluster_variance(&sums, &times) == 300.0 * 300);
	/* Of many, what only one has seen: the same. */
	for (int i = 0; i < 99; i++)
		cluster_add_time(&times, 1);
	assert_true(fabs(sqrt(cluster_variance(&sums, &times)) - 300) < 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(even_allocation_leaves_nothing_to_chance),
		cmocka_unit_test(bursts_are_known_by_how_many_were_seen),
		cmocka_unit_test(one_window_tells_of_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
