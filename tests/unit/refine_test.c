/* SPDX-License-Identifier: GPL-2.0-only */
/* Which interval sampling settles at, under loads of all kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "trace/refine.h"

#define START 16384
#define ROOM  131072

/* A program that allocates `rate` bytes per second in small blocks, each
 * sample costing 3 us, and keeps `live` bytes. */
static double share_at(double rate, uint64_t interval)
{
	return rate / (double)interval * 3e-6;
}

static uint64_t settle(uint64_t interval, double rate, double live)
{
	for (int i = 0; i < 30; i++) {
		struct refine_facts f = {
			.interval = interval,
			.start = START,
			.share = share_at(rate, interval),
			.outstanding = (uint64_t)(live / (double)interval),
			.room = ROOM,
		};

		interval = refine_interval(&f);
	}
	return interval;
}

static void quiet_programs_are_sampled_sixteen_times_as_often(void **state)
{
	assert_int_equal(settle(START, 0, 0), START / REFINE_MOST);
	assert_int_equal(settle(START, 100e3, 5e6), START / REFINE_MOST);
}

static void samples_never_cost_more_than_a_percent_for_it(void **state)
{
	for (double rate = 1e3; rate < 1e10; rate *= 1.5) {
		uint64_t interval = settle(START, rate, 0);
		double share = share_at(rate, interval);

		if (interval > START || interval < START / REFINE_MOST)
			fail_msg("%.0f B/s: seen one per %lu", rate,
				 (unsigned long)interval);
		if (interval < START && share > 0.005)
			fail_msg("%.0f B/s: one per %lu costs %.2f %%", rate,
				 (unsigned long)interval, 100 * share);
	}
}

static void it_does_not_go_to_and_fro(void **state)
{
	for (double rate = 1e3; rate < 1e9; rate *= 1.3) {
		for (double live = 1e5; live < 1e10; live *= 2) {
			uint64_t interval = settle(START, rate, live);

			assert_int_equal(settle(interval, rate, live),
					 interval);
			/* ... nor when the load changes by a fifth. */
			assert_int_equal(settle(interval, 1.2 * rate, live),
					 interval);
		}
	}
}

static void more_load_makes_it_coarser_again(void **state)
{
	uint64_t fine = settle(START, 1e5, 0);

	assert_int_equal(fine, START / REFINE_MOST);
	assert_int_equal(settle(fine, 1e9, 0), START);
}

static void what_is_allowed_is_not_used_up(void **state)
{
	struct refine_facts f = {
		.interval = START,
		.start = START,
		.share = 0.001,
		.cost = 0.019,
		.allowed = 0.02,
		.room = ROOM,
	};

	assert_int_equal(refine_interval(&f), START);
	f.interval = START / 4;
	assert_int_equal(refine_interval(&f), START / 2);
	f.cost = 0.01;
	assert_int_equal(refine_interval(&f), START / 8);
	f.allowed = 0;
	f.cost = 0.5;
	assert_int_equal(refine_interval(&f), START / 8);
}

static void a_table_that_fills_makes_it_coarser_again(void **state)
{
	uint64_t fine = settle(START, 1e5, 0);

	assert_true(settle(fine, 1e5, 100e6) > fine);
	assert_int_equal(settle(fine, 1e5, 10e9), START);
}

/* 4,000 blocks of 64 KiB a second, each sampled at the start. */
static double large_share(uint64_t interval)
{
	return 4000 * (1 - exp(-65536.0 / (double)interval)) * 5e-6;
}

static void fewer_samples_bring_it_back(void **state)
{
	struct refine_facts f = {
		.interval = START,
		.start = START,
		.allowed = 0.015,
		.room = ROOM,
	};
	const double rest = 0.008;
	int steps = 0;

	for (;; steps++) {
		f.share = large_share(f.interval);
		f.cost = f.share + rest;
		if (f.cost <= f.allowed)
			break;
		assert_true(refine_coarser(&f) > f.interval);
		f.interval = refine_coarser(&f);
	}
	assert_int_equal(steps, 2);
	/* There it stays ... */
	assert_int_equal(refine_interval(&f), f.interval);
	/* ... until there is less to do. */
	f.cost = f.share = 0.0001;
	assert_int_equal(refine_interval(&f), f.interval / 2);
}

static void fewer_samples_do_not_help_against_hits(void **state)
{
	struct refine_facts f = {
		.interval = START,
		.start = START,
		.share = 0.03,
		.cost = 0.05,
		.allowed = 0.02,
		.room = ROOM,
	};

	assert_int_equal(refine_coarser(&f), START);
	f.cost = 0.04;
	assert_int_equal(refine_coarser(&f), 4 * START);
	f.interval = REFINE_COARSEST;
	assert_int_equal(refine_coarser(&f), REFINE_COARSEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			quiet_programs_are_sampled_sixteen_times_as_often),
		cmocka_unit_test(samples_never_cost_more_than_a_percent_for_it),
		cmocka_unit_test(it_does_not_go_to_and_fro),
		cmocka_unit_test(more_load_makes_it_coarser_again),
		cmocka_unit_test(what_is_allowed_is_not_used_up),
		cmocka_unit_test(a_table_that_fills_makes_it_coarser_again),
		cmocka_unit_test(fewer_samples_bring_it_back),
		cmocka_unit_test(fewer_samples_do_not_help_against_hits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
