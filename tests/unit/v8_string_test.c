/* SPDX-License-Identifier: GPL-2.0-only */
/* Strings, position tables and line starts, built by hand. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "v8/layout_table.h"
#include "v8/line_starts.h"
#include "v8/position_table.h"
#include "v8/string.h"

/* A heap of our own at BASE: strings as V8 13 lays them out. */
#define BASE	    0x100000UL
#define ARENA_BYTES (1u << 20)
#define ONE_BYTE    8
enum { SEQUENTIAL = 0, CONS = 1, EXTERNAL = 2, SLICED = 3, THIN = 5 };

static uint8_t arena[ARENA_BYTES];
static size_t used, reads;
static struct v8_engine engine;
static struct v8_memory memory;
static struct v8_reader reader;

static int read_arena(void *context, uint64_t address, void *out, size_t size)
{
	reads++;
	if (address < BASE || address - BASE > ARENA_BYTES ||
	    size > ARENA_BYTES - (address - BASE))
		return -EFAULT;
	memcpy(out, arena + (address - BASE), size);
	return 0;
}

static int set_up(void **state)
{
	memset(arena, 0, sizeof(arena));
	used = reads = 0;
	engine.layout = v8_rows[v8_row_count - 1].layout;
	memory = (struct v8_memory){.read = read_arena};
	reader = (struct v8_reader){&engine, 0, &memory};
	v8_memory_begin(&memory);
	return 0;
}

static uint64_t allocate(size_t bytes)
{
	uint64_t address = BASE + used;

	used += (bytes + 7) & ~(size_t)7;
	assert_true(used <= ARENA_BYTES);
	return address + V8_TAG;
}

static void put(uint64_t object, uint32_t offset, uint64_t value)
{
	memcpy(arena + (object - V8_TAG - BASE) + offset, &value,
	       sizeof(value));
}

static uint64_t new_string(int type, uint32_t length, size_t bytes)
{
	uint64_t map = allocate(40), string = allocate(bytes);

	put(map, engine.layout.map_instance_type, (uint64_t)type);
	put(string, 0, map);
	put(string, 8, (uint64_t)length << 32); /* hash, length */
	return string;
}

static uint64_t latin1(const char *s)
{
	size_t n = strlen(s);
	uint64_t string =
		new_string(SEQUENTIAL | ONE_BYTE, (uint32_t)n, 16 + n + 8);

	memcpy(arena + (string - V8_TAG - BASE) + 16, s, n);
	return string;
}

static uint64_t utf16(const uint16_t *s, size_t n)
{
	uint64_t string = new_string(SEQUENTIAL, (uint32_t)n, 16 + 2 * n + 8);

	memcpy(arena + (string - V8_TAG - BASE) + 16, s, 2 * n);
	return string;
}

static uint64_t pair(int type, uint32_t length, uint64_t a, uint64_t b)
{
	uint64_t string = new_string(type, length, 32);

	put(string, 16, a);
	put(string, 24, b);
	return string;
}

static void check(uint64_t string, size_t max, const char *expected)
{
	struct text out = {0};

	v8_memory_begin(&memory);
	assert_int_equal(v8_string_utf8(&reader, string, max, &out), 0);
	assert_string_equal(out.data ? out.data : "", expected);
	text_free(&out);
}

static void check_error(uint64_t string, int expected)
{
	struct text out = {0};

	v8_memory_begin(&memory);
	reads = 0;
	assert_int_equal(v8_string_utf8(&reader, string, 8 << 20, &out),
			 expected);
	assert_in_range(reads, 0, V8_REQUEST_READS);
	text_free(&out);
}

static void all_representations(void **state)
{
	static const uint16_t wide[] = {'g', 'r', 0xf6, 0xdf, 0x20ac};
	uint64_t a = latin1("caf\xe9 au lait"), b = utf16(wide, 5);
	uint64_t cons = pair(CONS, 17, a, b);
	uint64_t slice = pair(SLICED, 9, cons, 5ULL << 32);
	uint64_t thin = pair(THIN, 9, slice, 0);
	uint64_t external = pair(EXTERNAL | ONE_BYTE, 3, 0, a - V8_TAG + 16);

	check(a, 100, "café au lait");
	check(b, 100, "größ€");
	check(cons, 100, "café au laitgröß€");
	check(slice, 100, "au laitgr");
	check(thin, 100, "au laitgr");
	check(external, 100, "caf");
	check(latin1(""), 100, "");
}

static void caps_fall_between_characters(void **state)
{
	static const uint16_t wide[] = {'a', 0x20ac, 'b'};

	check(utf16(wide, 3), 2, "a");
	check(utf16(wide, 3), 3, "a");
	check(utf16(wide, 3), 4, "a€");
	check(latin1("0123456789"), 4, "0123");
}

static void surrogates(void **state)
{
	static const uint16_t good[] = {0xd83d, 0xde00};
	static const uint16_t bad[] = {0xde00, 'x', 0xd83d, 'y', 0, 0xd83d};
	uint64_t halves = pair(CONS, 2, utf16(good, 1), utf16(good + 1, 1));

	check(utf16(good, 2), 100, "😀");
	check(halves, 100, "😀");
	check(utf16(bad, 6), 100, "�x�y��");
}

static void deep_trees(void **state)
{
	uint64_t left = latin1("a"), right = latin1("a");
	struct text expected = {0};

	for (uint32_t i = 2; i <= 200; i++) {
		left = pair(CONS, i, left, latin1("b"));
		right = pair(CONS, i, latin1("b"), right);
	}
	text_add(&expected, "a");
	for (int i = 2; i <= 200; i++)
		text_add(&expected, "b");
	check(left, 1000, expected.data);
	expected.data[0] = 'b';
	expected.data[199] = 'a';
	check(right, 1000, expected.data);
	text_free(&expected);
	for (uint32_t i = 201; i <= 1000; i++)
		left = pair(CONS, i, left, latin1("b"));
	check_error(left, -E2BIG);
}

static void cycles_end(void **state)
{
	uint64_t cons = pair(CONS, 1u << 30, 0, 0);
	uint64_t thin = pair(THIN, 5, 0, 0);
	uint64_t slice = pair(SLICED, 5, 0, 0);

	put(cons, 16, cons);
	put(cons, 24, cons);
	check_error(cons, -E2BIG);
	put(thin, 16, thin);
	check_error(thin, -E2BIG);
	put(slice, 16, slice);
	check_error(slice, -E2BIG);
	put(slice, 24, 1ULL << 32);
	check_error(slice, -ESTALE);
}

static void lengths_that_lie(void **state)
{
	uint64_t string = latin1("short");

	put(string, 8, (uint64_t)UINT32_MAX << 32);
	check_error(string, -EFAULT);
	check_error(pair(SLICED, 5, latin1("short"), 1ULL << 32), -ESTALE);
	check_error(pair(SLICED, 5, latin1("short"), 0xffffffffULL << 32),
		    -ESTALE);
	check_error(pair(CONS, 20, latin1("short"), latin1("short")), -ESTALE);
	check_error(pair(CONS, 20, 8, 16), -ESTALE);
	check_error(pair(EXTERNAL | ONE_BYTE, 20, 0, 0), -EFAULT);
	check_error(new_string(130, 3, 32), -ESTALE); /* a number */
	check_error(0xdead0001, -EFAULT);
	check_error(0, -ESTALE);
}

/* (code delta, position delta), zigzag: 2n for n >= 0, -2n - 1 below. The first
 * entry is relative to (-1, 0); deltas below 0 stand for -(n + 1). */
static const uint8_t table[] = {
	2 * (0 + 1),	 2 * 20,		      /* 0: 20 */
	2 * 4,		 0x80 | 200 % 128, 200 / 128, /* 4: 120, two bytes */
	2 * (5 + 1) - 1, 2 * 10 - 1,		      /* 9, no statement: 60 */
};

static void positions(void **state)
{
	struct v8_position p;

	assert_true(v8_position_before(table, sizeof(table), 3, &p));
	assert_int_equal(p.raw, 20);
	assert_true(v8_position_before(table, sizeof(table), 4, &p));
	assert_int_equal(p.raw, 20 + 100);
	assert_true(v8_position_before(table, sizeof(table), 1000, &p));
	assert_int_equal(p.code_offset, 9);
	assert_int_equal(p.raw, 110);
	assert_true(v8_position_after(table, sizeof(table), 5, &p));
	assert_int_equal(p.code_offset, 9);
	assert_false(v8_position_after(table, sizeof(table), 10, &p));
	assert_false(v8_position_before(table, 0, 10, &p));
	/* Cut in the middle of an entry. */
	assert_true(v8_position_before(table, 4, 1000, &p));
	assert_int_equal(p.raw, 20);

	assert_true(v8_position_is_external(1));
	assert_int_equal(v8_position_script_offset(0), -1);
	assert_int_equal(v8_position_script_offset(8ULL << 1), 7);
	assert_int_equal(v8_position_inlining(8ULL << 1), -1);
	assert_int_equal(v8_position_inlining(3ULL << 31 | 8ULL << 1), 2);
}

static void baseline_bytecodes(void **state)
{
	static const uint8_t lengths[] = {20, 5, 0x80 | 2, 1, 3};

	assert_int_equal(v8_baseline_bytecode(lengths, 5, 0), 0);
	assert_int_equal(v8_baseline_bytecode(lengths, 5, 19), 0);
	assert_int_equal(v8_baseline_bytecode(lengths, 5, 20), 1);
	assert_int_equal(v8_baseline_bytecode(lengths, 5, 25), 2);
	assert_int_equal(v8_baseline_bytecode(lengths, 5, 25 + 130), 3);
	assert_int_equal(v8_baseline_bytecode(lengths, 5, 25 + 133), -1);
}

static void check_line(const struct line_starts *l, uint32_t offset,
		       uint32_t line, uint32_t column)
{
	uint32_t found_line, found_column;

	line_starts_find(l, offset, &found_line, &found_column);
	assert_int_equal(found_line, line);
	assert_int_equal(found_column, column);
}

static void lines(void **state)
{
	/* a LF b CR LF c CR d LS e PS f; the CR LF in two pieces */
	static const uint16_t source[] = {'a',	  '\n', 'b',	'\r',
					  '\n',	  'c',	'\r',	'd',
					  0x2028, 'e',	0x2029, 'f'};
	struct line_starts l = {.max = 5};

	assert_int_equal(line_starts_add(&l, source, 4), 0);
	assert_int_equal(line_starts_add(&l, source + 4, 8), 0);
	check_line(&l, 0, 0, 0);
	check_line(&l, 1, 0, 1);
	check_line(&l, 2, 1, 0);
	check_line(&l, 4, 1, 2);
	check_line(&l, 5, 2, 0);
	check_line(&l, 7, 3, 0);
	check_line(&l, 9, 4, 0);
	check_line(&l, 11, 5, 0);
	check_line(&l, 1000, 5, 989);
	assert_int_equal(line_starts_add(&l, source, 4), -E2BIG);
	line_starts_free(&l);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, set_up)
	const struct CMUnitTest tests[] = {
		TEST(all_representations),
		TEST(caps_fall_between_characters),
		TEST(surrogates),
		TEST(deep_trees),
		TEST(cycles_end),
		TEST(lengths_that_lie),
		TEST(positions),
		TEST(baseline_bytecodes),
		TEST(lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
