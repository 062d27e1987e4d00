/* SPDX-License-Identifier: GPL-2.0-only */
/* The live view without a terminal: rows, keys, lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "top/lines.h"
#include "top/view.h"

#define SECOND	 1000000000ULL
#define ATTACHED (1000 * SECOND)
#define PAGE	 10

/* Frame n is function "fn" at file "fn.c", line n. */
#define FUNCTIONS 10
static char function_names[FUNCTIONS][8], file_names[FUNCTIONS][16];
static struct symbol_level levels[FUNCTIONS];
static struct symbol symbols[FUNCTIONS];

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	return 0;
}

static const struct symbol *get(void *context, uint64_t frame)
{
	assert_in_range(frame, 1, FUNCTIONS - 1);
	return &symbols[frame];
}

static uint32_t objects_given_up(void *context)
{
	return 0;
}

static const struct names names = {
	.resolve = resolve,
	.get = get,
	.objects_given_up = objects_given_up,
};

struct fixture {
	struct profile *profile;
	struct report_target target;
	uint64_t counters[COUNTER_COUNT];
	struct report report;
	struct top_view view;
	double seconds;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	for (int i = 1; i < FUNCTIONS; i++) {
		sprintf(function_names[i], "f%d", i);
		sprintf(file_names[i], "/src/f%d.c", i);
		levels[i] = (struct symbol_level){.function = function_names[i],
						  .file = file_names[i],
						  .line = (uint32_t)i};
		symbols[i] = (struct symbol){.levels = &levels[i],
					     .level_count = 1,
					     .module = "server",
					     .named = true};
	}
	f->profile = profile_new();
	f->target = (struct report_target){
		.pid = 42, .comm = "server", .alive = true};
	f->report = (struct report){
		.targets = &f->target,
		.target_count = 1,
		.profile = f->profile,
		.names = &names,
		.counters = f->counters,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	top_view_free(&f->view);
	profile_free(f->profile);
	free(f);
	return 0;
}

/* A snapshot `seconds` after attach of stacks 2, 3, ...: bytes[i], 0 ends. The
 * stack of id n has the frames n and 1. */
static void snapshot(struct fixture *f, double seconds, const uint64_t *bytes)
{
	struct cohort_layout cohorts = {.count = 1, .start_ns = {ATTACHED}};
	struct profile_snapshot s = {
		.now_ns = ATTACHED + (uint64_t)(seconds * 1e9),
		.attached_ns = ATTACHED,
		.cohorts = &cohorts,
	};

	assert_int_equal(profile_begin(f->profile, &s), 0);
	for (uint32_t id = 2; *bytes; id++, bytes++) {
		struct stack_frames frames = {
			.depth = 2, .end = STACK_END_ROOT, .frames = {id, 1}};
		struct stack_stats stats = {
			.alloc_samples = *bytes,
			.alloc_bytes = *bytes,
			.alloc_objects_q8 = (FUNCTIONS - id) * 256ULL,
			.first_alloc_ns = ATTACHED + id,
			.index_key = id,
			.cohort_bytes = {(int64_t)*bytes},
			.cohort_objects_q8 = {(FUNCTIONS - id) * 256},
		};

		assert_int_equal(profile_add(f->profile, id, &frames, &stats),
				 0);
	}
	assert_int_equal(profile_end(f->profile), 0);
	f->report.elapsed_seconds = seconds;
	assert_int_equal(top_view_update(&f->view, &f->report), 0);
}

static void press(struct fixture *f, int key)
{
	if (top_view_key(&f->view, key, PAGE))
		assert_int_equal(top_view_update(&f->view, &f->report), 0);
}

static void type(struct fixture *f, const char *keys)
{
	for (; *keys; keys++)
		press(f, *keys);
}

/* The list as ids of stacks, levels as dots. */
static void expect_rows(struct fixture *f, const char *expected)
{
	char seen[128] = "";

	for (size_t i = 0; i < f->view.row_count; i++) {
		const struct top_row *row = &f->view.rows[i];
		size_t used = strlen(seen);

		if (row->frame == TOP_ROW_STACK)
			snprintf(seen + used, sizeof(seen) - used, "%s%u",
				 used ? " " : "", row->id);
		else
			snprintf(seen + used, sizeof(seen) - used, ".");
	}
	if (strcmp(seen, expected))
		fail_msg("expected rows '%s', seen '%s'", expected, seen);
}

static const uint64_t three[] = {1000, 3000, 2000, 0};

static void stacks_are_sorted_as_the_user_wishes(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	snapshot(f, 20, (const uint64_t[]){9000, 3001, 2000, 0});
	expect_rows(f, "2 3 4"); /* growth since attach */
	snapshot(f, 30, (const uint64_t[]){9000, 9500, 2000, 0});
	press(f, 's');
	assert_int_equal(f->view.order, TOP_BY_BYTES);
	expect_rows(f, "3 2 4");
	press(f, 's');
	expect_rows(f, "2 3 4"); /* objects: 8, 7, 6 */
	press(f, 's');
	press(f, 's');
	assert_int_equal(f->view.order, TOP_BY_GROWTH);
}

static void enter_shows_and_hides_a_stack(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	press(f, 's'); /* bytes: 3 4 2 */
	press(f, TOP_KEY_DOWN);
	press(f, TOP_KEY_ENTER);
	expect_rows(f, "3 4.. 2");
	press(f, TOP_KEY_DOWN);
	press(f, TOP_KEY_DOWN);
	press(f, TOP_KEY_ENTER); /* also from one of its frames */
	expect_rows(f, "3 4 2");
}

static void the_cursor_stays_on_its_stack(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	press(f, 's');
	press(f, TOP_KEY_ENTER);
	press(f, TOP_KEY_DOWN); /* first frame of 3 */
	snapshot(f, 20, (const uint64_t[]){9000, 3000, 2000, 0});
	expect_rows(f, "2 3.. 4");
	assert_int_equal(f->view.cursor, 2);
	assert_int_equal(f->view.rows[f->view.cursor].id, 3);
	/* It is gone: the cursor stays in the list. */
	press(f, TOP_KEY_END);
	snapshot(f, 30, (const uint64_t[]){9000, 0});
	assert_int_equal(f->view.cursor, 0);
}

static void a_filter_shows_what_matches(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	type(f, "/F3.C"); /* any case, file names too */
	expect_rows(f, "3");
	assert_int_equal(f->view.stacks_hidden, 2);
	press(f, TOP_KEY_BACKSPACE);
	press(f, TOP_KEY_BACKSPACE);
	press(f, TOP_KEY_BACKSPACE);
	type(f, "9");
	expect_rows(f, "");
	press(f, TOP_KEY_DOWN); /* harmless */
	press(f, TOP_KEY_ESCAPE);
	expect_rows(f, "3 4 2");
	type(f, "/q"); /* a letter, not a command */
	assert_false(f->view.quit);
	press(f, TOP_KEY_ENTER);
	type(f, "q");
	assert_true(f->view.quit);
}

static void a_long_filter_is_cut(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	press(f, '/');
	for (int i = 0; i < 500; i++)
		press(f, 'x');
	assert_int_equal(strlen(f->view.filter), TOP_FILTER_BYTES - 1);
}

static void the_list_scrolls_with_the_cursor(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, (const uint64_t[]){8, 7, 6, 5, 4, 3, 2, 0});
	press(f, TOP_KEY_END);
	top_view_scroll(&f->view, 3);
	assert_int_equal(f->view.cursor, 6);
	assert_int_equal(f->view.first, 4);
	press(f, TOP_KEY_HOME);
	top_view_scroll(&f->view, 3);
	assert_int_equal(f->view.first, 0);
	press(f, TOP_KEY_PAGE_DOWN);
	top_view_scroll(&f->view, 100);
	assert_int_equal(f->view.first, 0);
}

static void pause_and_help_change_nothing_else(void **state)
{
	struct fixture *f = *state;

	snapshot(f, 10, three);
	press(f, 'p');
	assert_true(f->view.paused);
	press(f, '?');
	assert_true(f->view.help);
	press(f, 'q'); /* leaves the help only */
	assert_false(f->view.help);
	assert_false(f->view.quit);
	press(f, 'p');
	assert_false(f->view.paused);
}

static void no_line_is_wider_than_the_terminal(void **state)
{
	struct fixture *f = *state;

	levels[3].function = "very::long::name::of::a::function::\xc3\xa4\xc3"
			     "\xb6\xc3\xbc::that::does::not::fit";
	snapshot(f, 10, three);
	press(f, TOP_KEY_ENTER);
	for (size_t columns = 1; columns < 120; columns += 7) {
		struct text t = {0};

		for (unsigned i = 0; i < TOP_HEADER_LINES; i++) {
			text_clear(&t);
			top_line_header(&t, &f->report, &f->view, i, columns);
			assert_true(t.size <= 2 * columns);
		}
		for (size_t i = 0; i < f->view.row_count; i++) {
			size_t characters = 0;

			text_clear(&t);
			top_line_row(&t, &f->report, &f->view, &f->view.rows[i],
				     columns);
			for (size_t b = 0; b < t.size; b++)
				characters += (t.data[b] & 0xc0) != 0x80;
			if (characters > columns)
				fail_msg("%zu columns: expected no more, "
					 "seen %zu: %s",
					 columns, characters, t.data);
		}
		text_free(&t);
	}
}

static void a_row_says_how_much_and_where(void **state)
{
	struct fixture *f = *state;
	struct text t = {0};

	snapshot(f, 60, three);
	top_line_row(&t, &f->report, &f->view, &f->view.rows[0], 100);
	assert_string_equal(t.data, "    +2.9 KiB/min     2.9 KiB         7"
				    "      1 min  f3  f3.c:3");
	text_free(&t);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(stacks_are_sorted_as_the_user_wishes),
		TEST(enter_shows_and_hides_a_stack),
		TEST(the_cursor_stays_on_its_stack),
		TEST(a_filter_shows_what_matches),
		TEST(a_long_filter_is_cut),
		TEST(the_list_scrolls_with_the_cursor),
		TEST(pause_and_help_change_nothing_else),
		TEST(no_line_is_wider_than_the_terminal),
		TEST(a_row_says_how_much_and_where),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
