/* SPDX-License-Identifier: GPL-2.0-only */
/* The past of garbage-collected memory, and what is made of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "verdict/births.h"
#include "verdict/verdict.h"

#define SAMPLE 200000.0 /* bytes of the heap that a sample stands for */

/* Ten cohorts of ten seconds; so many samples of each survived. */
static enum verdict_kind judge(const double samples[10], double settled,
			       unsigned collections, struct verdict *out)
{
	struct series_cohort cohorts[10];
	struct series_point points[SERIES_POINTS];
	struct verdict_input in = {
		.points = points,
		.bytes_per_sample = SAMPLE,
		.tested = 5,
		.collected = true,
		.collections = collections,
	};

	for (int i = 0; i < 10; i++) {
		cohorts[i] = (struct series_cohort){
			.from = 10 * i,
			.to = 10 * i + 10,
			.live = samples[i] * SAMPLE,
		};
		in.samples += samples[i];
	}
	in.count = births_history(cohorts, 10, settled, SAMPLE, points);
	verdict_judge(&in, out);
	return out->kind;
}

static void expect(const char *what, enum verdict_kind expected,
		   enum verdict_kind seen)
{
	if (seen != expected)
		fail_msg("%s: expected %s, seen %s", what,
			 verdict_name(expected), verdict_name(seen));
}

static void the_past_ends_where_it_is_not_known(void **state)
{
	struct series_cohort cohorts[] = {
		{.from = 0, .to = 10, .live = 100},
		{.from = 10, .to = 20, .live = 50},
		{.from = 20, .to = 30, .live = 30},
	};
	struct series_point points[4];

	assert_int_equal(births_history(cohorts, 3, 0, 1, points), 0);
	assert_int_equal(births_history(cohorts, 0, 10, 1, points), 0);
	assert_int_equal(births_history(cohorts, 3, 15, 1, points), 3);
	assert_true(points[0].live == 0 && points[0].seconds == 0);
	assert_true(points[1].live == 100 && points[1].seconds == 10);
	assert_true(points[2].live == 150 && points[2].seconds == 15);
	assert_int_equal(births_history(cohorts, 3, 99, 1, points), 4);
	assert_true(points[3].live == 180 && points[3].seconds == 30);
}

static void what_is_kept_at_an_even_rate_leaks(void **state)
{
	const double even[10] = {11, 9, 10, 12, 8, 10, 11, 9, 0, 0};
	struct verdict v;

	expect("even births", VERDICT_LEAK, judge(even, 80, 2, &v));
	/* 80 samples in 80 seconds */
	assert_in_range(v.growth.value, 0.8 * 60 * SAMPLE, 1.2 * 60 * SAMPLE);
	assert_true(v.growth.low < 60 * SAMPLE && v.growth.high > 60 * SAMPLE);
	assert_true(v.by_births);
}

static void what_came_at_the_start_does_not(void **state)
{
	const double early[10] = {60, 15, 0, 0, 0, 1, 0, 0, 0, 0};
	struct verdict v;

	expect("early births", VERDICT_STARTUP, judge(early, 90, 5, &v));
}

static void what_is_let_go_after_a_while_does_not(void **state)
{
	/* A cache that drops what is older than half a minute. */
	const double late[10] = {0, 0, 0, 0, 0, 0, 10, 11, 9, 0};
	struct verdict v;

	judge(late, 90, 4, &v);
	assert_int_not_equal(v.kind, VERDICT_STARTUP);
	/* From the births alone it could have begun late: that is a leak of
	 * half a minute until an older group goes. What matters is that the
	 * rate is not that of the whole time. */
	if (v.kind == VERDICT_LEAK)
		assert_true(v.window_seconds < 60);
}

static void one_collection_says_less_than_two(void **state)
{
	const double even[10] = {11, 9, 10, 12, 8, 10, 11, 9, 0, 0};
	struct verdict v;
	double sure;

	expect("two collections", VERDICT_LEAK, judge(even, 80, 2, &v));
	sure = v.confidence;
	expect("one collection", VERDICT_LEAK, judge(even, 80, 1, &v));
	assert_int_equal(v.collections, 1);
	if (!(v.confidence < 0.67 && v.confidence < sure))
		fail_msg("expected less than 0.67 and than %f, seen %f", sure,
			 v.confidence);
}

static void collections_that_come_too_early_say_nothing(void **state)
{
	const double even[10] = {11, 9, 10, 12, 8, 10, 11, 9, 0, 0};
	struct verdict v;

	expect("one, too early", VERDICT_UNKNOWN, judge(even, 9, 1, &v));
	assert_int_equal(v.doubt, DOUBT_COLLECTIONS);
	/* Two, but the first of them too early. */
	expect("too early", VERDICT_UNKNOWN, judge(even, 9, 2, &v));
	assert_int_equal(v.doubt, DOUBT_COLLECTIONS);
	expect("none", VERDICT_UNKNOWN, judge(even, 0, 0, &v));
	assert_int_equal(v.doubt, DOUBT_COLLECTIONS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_past_ends_where_it_is_not_known),
		cmocka_unit_test(what_is_kept_at_an_even_rate_leaks),
		cmocka_unit_test(what_came_at_the_start_does_not),
		cmocka_unit_test(what_is_let_go_after_a_while_does_not),
		cmocka_unit_test(one_collection_says_less_than_two),
		cmocka_unit_test(collections_that_come_too_early_say_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
