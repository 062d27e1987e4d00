/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/cursor.h"

static void reads_little_endian_integers_in_order(void **state)
{
	const uint8_t bytes[] = {1, 2,	3,  4,	5,  6,	7, 8,
				 9, 10, 11, 12, 13, 14, 15};
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	assert_int_equal(cursor_u8(&c), 0x01);
	assert_int_equal(cursor_u16(&c), 0x0302);
	assert_int_equal(cursor_u32(&c), 0x07060504);
	assert_true(cursor_u64(&c) == 0x0f0e0d0c0b0a0908ULL);
	assert_false(c.failed);
	assert_int_equal(cursor_left(&c), 0);
}

static void a_read_past_the_end_fails_and_stays_failed(void **state)
{
	const uint8_t bytes[] = {1, 2, 3};
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	assert_int_equal(cursor_u32(&c), 0);
	assert_true(c.failed);
	assert_int_equal(cursor_left(&c), 0);
	assert_int_equal(cursor_u8(&c), 0);
	assert_null(cursor_bytes(&c, 0));
}

static void a_huge_skip_does_not_wrap_around(void **state)
{
	const uint8_t bytes[] = {1, 2, 3};
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	cursor_skip(&c, SIZE_MAX);
	assert_true(c.failed);
}

static void an_empty_buffer_may_be_null(void **state)
{
	struct cursor c = cursor_make(NULL, 0);

	assert_int_equal(cursor_left(&c), 0);
	assert_null(cursor_string(&c));
	assert_true(c.failed);
}

static void decodes_leb128(void **state)
{
	/* Examples of DWARF 5, tables 7.7 and 7.8. */
	const uint8_t bytes[] = {2,    0x7f, 0x80, 1, 0x81, 1,	 0xb9,
				 0x64, 0x7e, 0xff, 0, 0x80, 0x7f};
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	assert_int_equal(cursor_uleb(&c), 2);
	assert_int_equal(cursor_uleb(&c), 127);
	assert_int_equal(cursor_uleb(&c), 128);
	assert_int_equal(cursor_uleb(&c), 129);
	assert_int_equal(cursor_uleb(&c), 12857);
	assert_int_equal(cursor_sleb(&c), -2);
	assert_int_equal(cursor_sleb(&c), 127);
	assert_int_equal(cursor_sleb(&c), -128);
	assert_false(c.failed);
}

static void decodes_the_widest_leb128(void **state)
{
	const uint8_t max[] = {0xff, 0xff, 0xff, 0xff, 0xff,
			       0xff, 0xff, 0xff, 0xff, 0x01};
	const uint8_t min[] = {0x80, 0x80, 0x80, 0x80, 0x80,
			       0x80, 0x80, 0x80, 0x80, 0x7f};
	struct cursor c = cursor_make(max, sizeof(max));

	assert_true(cursor_uleb(&c) == UINT64_MAX);
	c = cursor_make(min, sizeof(min));
	assert_true(cursor_sleb(&c) == INT64_MIN);
	assert_false(c.failed);
}

static void an_endless_or_cut_leb128_fails(void **state)
{
	uint8_t bytes[16];
	struct cursor c;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = 0x80;
	c = cursor_make(bytes, sizeof(bytes));
	assert_int_equal(cursor_uleb(&c), 0);
	assert_true(c.failed);
	c = cursor_make(bytes, 3);
	assert_int_equal(cursor_sleb(&c), 0);
	assert_true(c.failed);
}

static void a_string_must_end_inside_the_buffer(void **state)
{
	const char bytes[] = {'a', 'b', 0, 'c'};
	struct cursor c = cursor_make(bytes, sizeof(bytes));

	assert_string_equal(cursor_string(&c), "ab");
	assert_null(cursor_string(&c));
	assert_true(c.failed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_little_endian_integers_in_order),
		cmocka_unit_test(a_read_past_the_end_fails_and_stays_failed),
		cmocka_unit_test(a_huge_skip_does_not_wrap_around),
		cmocka_unit_test(an_empty_buffer_may_be_null),
		cmocka_unit_test(decodes_leb128),
		cmocka_unit_test(decodes_the_widest_leb128),
		cmocka_unit_test(an_endless_or_cut_leb128_fails),
		cmocka_unit_test(a_string_must_end_inside_the_buffer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
