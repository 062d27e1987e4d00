/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace/v8_survivors.h"

#define HALF 0x80000000u /* P = 1/2 */

static const struct cohort_layout cohorts = {
	.count = 2,
	.start_ns = {0, 1000},
	.slot = {3, 5},
};

static struct v8_sample sample(uint32_t stack, uint64_t size,
			       uint32_t threshold, uint32_t survived,
			       uint64_t birth_ns)
{
	return (struct v8_sample){
		.survived = survived,
		.block = {.size = size,
			  .birth_ns = birth_ns,
			  .booking = BLOCK_BOOKING(stack, threshold)},
	};
}

static struct stack_stats allocated(uint64_t samples, uint64_t bytes)
{
	return (struct stack_stats){
		.alloc_samples = samples,
		.alloc_bytes = bytes,
		.alloc_objects_q8 = samples << 8,
		.cohort_bytes = {7, 7},
		.live_bytes_variance = 99,
	};
}

/* Stacks in disorder, free slots between them. */
static void make(struct v8_survivors *s)
{
	const struct v8_sample table[] = {
		sample(9, 100, HALF, 2, 500),
		sample(4, 60, 0, 3, 1500),
		{0},
		sample(9, 300, 0, 5, 2000),
		sample(9, 1000, 0, 1, 2000),
		sample(2, 10, 0, 2, 10),
	};

	*s = (struct v8_survivors){0};
	assert_int_equal(v8_survivors_add(s, table, 6, 2), 0);
	assert_int_equal(s->count, 4);
	v8_survivors_sort(s);
}

static void they_are_found_by_stack(void **state)
{
	struct v8_survivors s;
	size_t count;

	make(&s);
	assert_non_null(v8_survivors_of(&s, 9, &count));
	assert_int_equal(count, 2);
	assert_int_equal(v8_survivors_of(&s, 2, &count)->sample.block.size, 10);
	assert_int_equal(count, 1);
	assert_null(v8_survivors_of(&s, 3, &count));
	assert_int_equal(count, 0);
	assert_null(v8_survivors_of(&s, 10, &count));
	v8_survivors_free(&s);
}

static void what_survived_is_live_and_the_rest_is_freed(void **state)
{
	struct stack_stats stats = allocated(10, 5000);
	struct v8_survivors s;

	make(&s);
	v8_survivors_apply(&s, 9, &cohorts, 0, &stats);
	assert_int_equal(stats.alloc_bytes - stats.freed_bytes, 500);
	assert_int_equal(stats.alloc_samples - stats.freed_samples, 2);
	assert_int_equal(stats.alloc_objects_q8 - stats.freed_objects_q8,
			 3 << 8);
	assert_int_equal(stats.cohort_bytes[3], 200);
	assert_int_equal(stats.cohort_bytes[5], 300);
	assert_int_equal(stats.cohort_bytes[0], 0);
	/* (1-P)(size/P)^2 */
	assert_int_equal(stats.live_bytes_variance, 20000);
	v8_survivors_free(&s);
}

static void a_stack_of_garbage_holds_nothing(void **state)
{
	struct stack_stats stats = allocated(10, 5000);
	struct v8_survivors s;

	make(&s);
	v8_survivors_apply(&s, 8, &cohorts, 0, &stats);
	assert_int_equal(stats.freed_bytes, 5000);
	assert_int_equal(stats.freed_samples, 10);
	assert_int_equal(stats.live_bytes_variance, 0);
	assert_int_equal(stats.cohort_bytes[1], 0);
	v8_survivors_free(&s);
}

/* One collection is enough for what was old at it; none has looked at what has
 * not survived any. */
static void what_was_old_needs_one_collection_less(void **state)
{
	struct v8_sample table[] = {
		sample(1, 100, 0, 1, 10),
		sample(1, 200, 0, 0, 10),
		sample(1, 400, HALF, 0, 10),
		sample(1, 1600, 0, 1, 10),
	};
	struct v8_survivors s = {0};

	table[0].aged = 1;
	assert_true(v8_survived(&table[0], 2) && !v8_survived(&table[0], 3));
	assert_false(v8_survived(&table[3], 2));
	assert_int_equal(v8_survivors_add(&s, table, 4, 2), 0);
	assert_true(v8_survivors_bytes(&s, 1) == 100);
	v8_survivors_clear(&s);
	assert_int_equal(v8_survivors_add(&s, table, 4, 0), 0);
	assert_true(v8_survivors_bytes(&s, 1) == 200 + 800);
	assert_true(v8_survivors_bytes(&s, 2) == 0);
	v8_survivors_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(they_are_found_by_stack),
		cmocka_unit_test(what_survived_is_live_and_the_rest_is_freed),
		cmocka_unit_test(a_stack_of_garbage_holds_nothing),
		cmocka_unit_test(what_was_old_needs_one_collection_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
