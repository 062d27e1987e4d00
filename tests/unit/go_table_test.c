/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object/go_table.h"
#include "object/object.h"
#include "probe/go_runtime.h"

/* ---- A table made by hand -------------------------------------------------
 *
 * Two functions, the first of them with code of two files.
 */

#define TEXT 0x401000u

struct image {
	uint8_t header[72];
	char names[32];	    /* at 72 */
	uint32_t units[2];  /* at 104 */
	char files[32];	    /* at 112 */
	uint8_t values[24]; /* at 144 */
	uint32_t list[5];   /* at 168 */
	uint32_t first[10]; /* at 188 */
	uint32_t second[10];
};

static void put64(uint8_t *at, uint64_t value)
{
	memcpy(at, &value, sizeof(value));
}

static struct image make(void)
{
	struct image m = {
		.names = "\0main.leak\0main.main",
		.units = {0, 10},
		.files = "/src/a.go\0/src/b.go",
		/* Offset 0 stands for no table. From 1: file 0 for 16 bytes,
		 * file 1 for 16 more; from 6: line 7, then line 5. */
		.values = {0, 2, 16, 2, 16, 0, 16, 16, 3, 16, 0},
		.list = {0, 20, 32, 60, 48},
		.first = {0, 1, 0, 0, 0, 1, 6, 0, 0},
		.second = {32, 11, 0, 0, 0, 0, 0, 0, 0},
	};
	static const uint8_t start[] = {0xf1, 0xff, 0xff, 0xff, 0, 0, 1, 8};

	_Static_assert(offsetof(struct image, list) == 168, "layout");
	memcpy(m.header, start, sizeof(start));
	put64(m.header + 8, 2);
	put64(m.header + 16, 2);
	put64(m.header + 24, TEXT);
	put64(m.header + 32, offsetof(struct image, names));
	put64(m.header + 40, offsetof(struct image, units));
	put64(m.header + 48, offsetof(struct image, files));
	put64(m.header + 56, offsetof(struct image, values));
	put64(m.header + 64, offsetof(struct image, list));
	return m;
}

static void names_files_and_lines_by_address(void **state)
{
	static const struct {
		uint64_t address;
		const char *name, *file;
		uint32_t line;
	} cases[] = {
		{TEXT - 1, NULL, NULL, 0},
		{TEXT, "main.leak", "/src/a.go", 7},
		{TEXT + 15, "main.leak", "/src/a.go", 7},
		{TEXT + 16, "main.leak", "/src/b.go", 5},
		{TEXT + 31, "main.leak", "/src/b.go", 5},
		{TEXT + 32, "main.main", NULL, 0},
		{TEXT + 47, "main.main", NULL, 0},
		{TEXT + 48, NULL, NULL, 0},
		{UINT64_MAX, NULL, NULL, 0},
	};
	struct image m = make();
	struct go_table t;

	assert_int_equal(go_table_open(&t, &m, sizeof(m)), 0);
	assert_int_equal(t.count, 2);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct go_function f;
		bool found = go_table_find(&t, cases[i].address, &f);
		const char *file;
		uint32_t line;

		assert_int_equal(found, cases[i].name != NULL);
		if (!found)
			continue;
		assert_string_equal(f.name, cases[i].name);
		go_table_position(&t, &f, cases[i].address, &file, &line);
		assert_int_equal(line, cases[i].line);
		if (cases[i].file)
			assert_string_equal(file, cases[i].file);
		else
			assert_null(file);
	}
}

static void damaged_tables_are_refused(void **state)
{
	struct image good = make();
	struct go_table t;

	for (size_t size = 0; size < offsetof(struct image, first); size++)
		assert_int_equal(go_table_open(&t, &good, size), -EINVAL);
	for (size_t at = 32; at <= 64; at += 8) {
		struct image m = good;

		put64(m.header + at, UINT64_MAX - 3);
		assert_int_equal(go_table_open(&t, &m, sizeof(m)), -EINVAL);
	}
	good.header[0] = 0xfa; /* Go 1.16 */
	assert_int_equal(go_table_open(&t, &good, sizeof(good)), -EINVAL);
}

static void offsets_that_lead_out_of_the_table_are_no_function(void **state)
{
	struct image m = make();
	struct go_function f;
	struct go_table t;

	m.list[1] = 0xfffffff0;	  /* the record */
	m.second[1] = 0x7fffffff; /* its name */
	assert_int_equal(go_table_open(&t, &m, sizeof(m)), 0);
	assert_false(go_table_find(&t, TEXT, &f));
	assert_false(go_table_find(&t, TEXT + 40, &f));
	assert_false(go_table_function(&t, 2, &f));
}

static void a_relocation_tells_where_the_text_starts(void **state)
{
	Elf64_Rela list[] = {
		{.r_offset = 0x5018,
		 .r_info = ELF64_R_INFO(0, R_X86_64_64),
		 .r_addend = 1},
		{.r_offset = 0x5010,
		 .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
		 .r_addend = 2},
		{.r_offset = 0x5018,
		 .r_info = ELF64_R_INFO(0, R_X86_64_RELATIVE),
		 .r_addend = 0x1000},
	};
	uint64_t start = 0;

	assert_true(go_table_text_start(list, sizeof(list), 0x5018, &start));
	assert_int_equal(start, 0x1000);
	assert_false(
		go_table_text_start(list, sizeof(list) - 1, 0x5018, &start));
	assert_false(go_table_text_start(list, sizeof(list), 0x5020, &start));
}

/* ---- Code -------------------------------------------------------------------
 */

static void the_jump_after_the_check_of_the_stack_is_cheap(void **state)
{
	static const struct {
		uint8_t code[32];
		uint32_t offset;
	} cases[] = {
		/* cmp 0x10(%r14),%rsp; jbe */
		{{0x49, 0x3b, 0x66, 0x10, 0x76, 0x55}, 4},
		{{0x49, 0x3b, 0x66, 0x10, 0x0f, 0x86, 1, 2, 0, 0}, 4},
		/* lea -0xf0(%rsp),%r12; cmp 0x10(%r14),%r12; jbe */
		{{0x4c, 0x8d, 0xa4, 0x24, 0x10, 0xff, 0xff, 0xff, 0x4d, 0x3b,
		  0x66, 0x10, 0x0f, 0x86, 0xaa, 1, 0, 0},
		 12},
		{{0x4c, 0x8d, 0x64, 0x24, 0x80, 0x4d, 0x3b, 0x66, 0x10, 0x76,
		  0x10},
		 9},
		/* No check, another branch. */
		{{0x55, 0x48, 0x89, 0xe5}, 0},
		{{0x49, 0x3b, 0x66, 0x10, 0x77, 0x55}, 0},
		{{0x4c, 0x8d, 0x64, 0x24, 0x80, 0x49, 0x3b, 0x66, 0x10, 0x76},
		 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(go_runtime_cheap_offset(cases[i].code, 32),
				 cases[i].offset);
		assert_int_equal(go_runtime_cheap_offset(cases[i].code, 12), 0);
	}
}

/* ---- A real program: Debian's go, stripped, linked with C ------------------
 */

#define GO_PROGRAM "/usr/lib/go-1.19/bin/go"

static void a_stripped_program_shows_its_runtime(void **state)
{
	struct object_registry *r = object_registry_new();
	int fd = open(GO_PROGRAM, O_RDONLY | O_CLOEXEC);
	struct object *o;
	struct go_runtime g;
	const char *reason;

	if (fd < 0) {
		object_registry_free(r);
		skip();
	}
	assert_int_equal(object_open(r, fd, GO_PROGRAM, &o), 0);
	assert_true(o->is_go);
	assert_int_equal(go_runtime_find(o, &g, &reason), 0);
	for (int i = 0; i < GO_POINT_COUNT; i++) {
		assert_true(g.points[i].address > o->text_base);
		assert_true(g.points[i].address < o->text_end);
		assert_int_not_equal(g.points[i].cheap_offset, 0);
	}
	assert_true(g.rate_address > o->text_end);
	assert_false(g.profiled);
	object_registry_free(r);
}

static void every_function_is_found_by_its_address(void **state)
{
	struct object_registry *r = object_registry_new();
	int fd = open(GO_PROGRAM, O_RDONLY | O_CLOEXEC);
	uint64_t address, lines = 0;
	struct object *o;
	struct go_table t;
	uint8_t *data;
	size_t size;

	if (fd < 0) {
		object_registry_free(r);
		skip();
	}
	assert_int_equal(object_open(r, fd, GO_PROGRAM, &o), 0);
	assert_int_equal(
		object_section(o, ".gopclntab", &data, &size, &address), 0);
	assert_int_equal(go_table_open(&t, data, size), 0);
	assert_true(t.count > 5000);
	for (uint32_t i = 0; i < t.count; i++) {
		struct go_function f, again;
		const char *file;
		uint32_t line;

		if (!go_table_function(&t, i, &f))
			continue;
		assert_true(go_table_find(&t, f.end - 1, &again));
		assert_ptr_equal(f.name, again.name);
		go_table_position(&t, &f, f.address, &file, &line);
		lines += file && line;
	}
	assert_true(lines > t.count * 9ull / 10);
	free(data);
	object_registry_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_files_and_lines_by_address),
		cmocka_unit_test(damaged_tables_are_refused),
		cmocka_unit_test(
			offsets_that_lead_out_of_the_table_are_no_function),
		cmocka_unit_test(a_relocation_tells_where_the_text_starts),
		cmocka_unit_test(
			the_jump_after_the_check_of_the_stack_is_cheap),
		cmocka_unit_test(a_stripped_program_shows_its_runtime),
		cmocka_unit_test(every_function_is_found_by_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
