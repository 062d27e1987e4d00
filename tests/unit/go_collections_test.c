/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/go_collections.h"

#define SECOND 1000000000ULL

static void nothing_is_known_before_a_whole_collection(void **state)
{
	struct go_collections c = {0};

	assert_int_equal(go_settled_ns(&c, 100 * SECOND), 0);
	/* One that had begun before attaching. */
	go_collection_ended(&c, 5 * SECOND);
	assert_int_equal(c.count, 1);
	assert_int_equal(go_settled_ns(&c, 100 * SECOND), 0);
	go_collection_begun(&c, 10 * SECOND);
	assert_int_equal(go_settled_ns(&c, 100 * SECOND), 0);
}

static void a_collection_settles_what_was_born_before_it(void **state)
{
	struct go_collections c = {0};

	go_collection_begun(&c, 10 * SECOND);
	go_collection_ended(&c, 12 * SECOND);
	/* It is being swept. */
	assert_int_equal(go_settled_ns(&c, 12 * SECOND + GO_SWEEP_NS), 0);
	assert_int_equal(go_settled_ns(&c, 12 * SECOND + GO_SWEEP_NS + 1),
			 10 * SECOND);
	/* The next one has waited for that. */
	c = (struct go_collections){0};
	go_collection_begun(&c, 10 * SECOND);
	go_collection_ended(&c, 11 * SECOND);
	go_collection_begun(&c, 12 * SECOND);
	assert_int_equal(go_settled_ns(&c, 12 * SECOND), 10 * SECOND);
	go_collection_ended(&c, 13 * SECOND);
	assert_int_equal(go_settled_ns(&c, 13 * SECOND), 10 * SECOND);
	assert_int_equal(c.count, 2);
}

static void what_is_told_twice_counts_once(void **state)
{
	struct go_collections c = {0};

	go_collection_begun(&c, 10 * SECOND);
	go_collection_begun(&c, 10 * SECOND + 5);
	go_collection_ended(&c, 11 * SECOND);
	go_collection_ended(&c, 11 * SECOND + 5);
	assert_int_equal(c.count, 1);
	assert_int_equal(go_settled_ns(&c, 20 * SECOND), 10 * SECOND);
}

/* Cohorts from 0, 10 and 20 s on, 100 bytes and 1 object of each. */
static const struct cohort_layout cohorts = {
	.count = 3,
	.start_ns = {0, 10 * SECOND, 20 * SECOND},
	.slot = {5, 0, 2},
};

static struct stack_stats stack(void)
{
	struct stack_stats s = {
		.alloc_samples = 6,
		.freed_samples = 3,
		.alloc_bytes = 600,
		.freed_bytes = 300,
		.alloc_objects_q8 = 6 << 8,
		.freed_objects_q8 = 3 << 8,
		.live_bytes_variance = 900,
		.live_objects_variance_q4 = 300,
		.last_alloc_ns = 25 * SECOND,
	};

	for (int i = 0; i < 3; i++) {
		s.cohort_bytes[cohorts.slot[i]] = 100;
		s.cohort_objects_q8[cohorts.slot[i]] = 1 << 8;
	}
	return s;
}

static void only_cohorts_that_are_settled_stay_live(void **state)
{
	static const struct {
		uint64_t settled;
		unsigned kept; /* cohorts */
	} cases[] = {
		{0, 0},		  {9 * SECOND, 0},  {10 * SECOND, 1},
		{19 * SECOND, 1}, {20 * SECOND, 2}, {24 * SECOND, 2},
		{25 * SECOND, 2}, {26 * SECOND, 3}, /* all was born before */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct stack_stats s = stack();
		uint64_t live = 0;

		go_settle(&s, &cohorts, cases[i].settled);
		for (int k = 0; k < COHORTS; k++)
			live += (uint64_t)s.cohort_bytes[k];
		assert_int_equal(live, 100 * cases[i].kept);
		assert_int_equal(s.alloc_bytes - s.freed_bytes, live);
		assert_int_equal(s.alloc_samples - s.freed_samples,
				 cases[i].kept);
		assert_int_equal(s.alloc_objects_q8 - s.freed_objects_q8,
				 cases[i].kept << 8);
		assert_in_range(s.live_bytes_variance,
				300 * cases[i].kept - 1 + !cases[i].kept,
				300 * cases[i].kept);
		assert_int_equal(s.alloc_samples, 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_known_before_a_whole_collection),
		cmocka_unit_test(a_collection_settles_what_was_born_before_it),
		cmocka_unit_test(what_is_told_twice_counts_once),
		cmocka_unit_test(only_cohorts_that_are_settled_stay_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
