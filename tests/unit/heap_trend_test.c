/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "v8/heap_trend.h"

static double rate_of(const struct heap_trend *t)
{
	double rate = NAN;

	assert_true(heap_trend_rate(t, &rate));
	return rate;
}

static void one_collection_has_no_trend(void **state)
{
	struct heap_trend t = {0};
	double rate;

	assert_false(heap_trend_rate(&t, &rate));
	heap_trend_add(&t, 10, 1e6);
	assert_false(heap_trend_rate(&t, &rate));
}

static void a_straight_line_is_its_slope(void **state)
{
	struct heap_trend t = {0};

	for (int i = 0; i < 5; i++)
		heap_trend_add(&t, 100 + i * 2, 5e6 + i * 1e6);
	assert_true(fabs(rate_of(&t) - 30e6) < 1);
}

static void one_peak_does_not_move_it(void **state)
{
	struct heap_trend t = {0};

	for (int i = 0; i < 11; i++)
		heap_trend_add(&t, i, i == 7 ? 1e9 : 3e6);
	assert_true(fabs(rate_of(&t)) < 1);
}

static void collections_at_one_moment_are_harmless(void **state)
{
	struct heap_trend t = {0};
	double rate;

	heap_trend_add(&t, 3, 1e6);
	heap_trend_add(&t, 3, 9e6);
	assert_false(heap_trend_rate(&t, &rate));
}

static void a_long_past_stays_within_bounds(void **state)
{
	struct heap_trend t = {0};

	for (int i = 0; i < 100000; i++) {
		heap_trend_add(&t, i, i * 10.0);
		assert_true(t.count < HEAP_TREND_POINTS);
	}
	assert_int_equal(t.collections, 100000);
	assert_true(t.points[0].seconds == 0);
	assert_true(t.last.seconds == 99999);
	assert_true(t.count >= HEAP_TREND_POINTS / 2);
	assert_true(fabs(rate_of(&t) - 600) < 1e-6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_collection_has_no_trend),
		cmocka_unit_test(a_straight_line_is_its_slope),
		cmocka_unit_test(one_peak_does_not_move_it),
		cmocka_unit_test(collections_at_one_moment_are_harmless),
		cmocka_unit_test(a_long_past_stays_within_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
