/* SPDX-License-Identifier: GPL-2.0-only */
/* Both formats against whole expected texts, with made-up profiles and
 * names. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "report/blame.h"
#include "report/format.h"
#include "report/formats.h"
#include "report/names.h"
#include "report/report.h"

#define SECOND	 1000000000ULL
#define ATTACHED (1000 * SECOND)

/* ---- Names of a few addresses ---------------------------------------------
 */

#define MALLOC	1
#define STRDUP	2
#define PARSE	3 /* with an inlined level */
#define MAIN	4
#define UNNAMED 5
#define HOSTILE 6
#define VECTOR	7
#define LONG	8
#define GETLINE 9
#define MMAP	10

static const struct symbol_level malloc_levels[] = {{.function = "malloc"}};
static const struct symbol_level strdup_levels[] = {{.function = "strdup"}};
static const struct symbol_level parse_levels[] = {
	{.function = "copy_field",
	 .file = "/src/http/field.h",
	 .line = 31,
	 .inlined = true},
	{.function = "parse_header", .file = "/src/http/http.c", .line = 212}};
static const struct symbol_level main_levels[] = {
	{.function = "main", .file = "/src/server.c", .line = 9}};
static const struct symbol_level unnamed_levels[] = {
	{.function = "plugin.so+0x1234 [build-id 00ff]"}};
static const struct symbol_level hostile_levels[] = {
	{.function = "evil;\n\x1b[2J\xff\xe2\x80\xae"
		     "name",
	 .file = "/tmp/a\nb.c",
	 .line = 1}};
static const struct symbol_level vector_levels[] = {
	{.function = "std::vector<int>::push_back",
	 .file = "/usr/include/c++/12/bits/stl_vector.h",
	 .line = 1287}};
static const struct symbol_level long_levels[] = {
	{.function = "outer::space::very_long_template_name<std::map<int, "
		     "std::string>, std::less<int> >::operator()"}};
static const struct symbol_level getline_levels[] = {
	{.function = "_IO_getdelim"}};
static const struct symbol_level mmap_levels[] = {{.function = "mmap"}};

#define SYMBOL(list, from)                                                     \
	{                                                                      \
		.levels = list, .level_count = sizeof(list) / sizeof(list[0]), \
		.module = from, .named = true                                  \
	}

static const struct symbol symbols[] = {
	[MALLOC] = SYMBOL(malloc_levels, "libc.so.6"),
	[STRDUP] = SYMBOL(strdup_levels, "server"),
	[PARSE] = SYMBOL(parse_levels, "server"),
	[MAIN] = SYMBOL(main_levels, "server"),
	[UNNAMED] = {.levels = unnamed_levels,
		     .level_count = 1,
		     .module = "plugin.so"},
	[HOSTILE] = SYMBOL(hostile_levels, "mod\x1b"
					   "ule"),
	[VECTOR] = SYMBOL(vector_levels, "server"),
	[LONG] = SYMBOL(long_levels, "server"),
	[GETLINE] = SYMBOL(getline_levels, "libc.so.6"),
	[MMAP] = SYMBOL(mmap_levels, "libc.so.6"),
};

static size_t resolved; /* frames asked for */

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	resolved += count;
	return 0;
}

static const struct symbol *get(void *context, uint64_t frame)
{
	assert_in_range(frame, 1, sizeof(symbols) / sizeof(symbols[0]) - 1);
	return &symbols[frame];
}

static bool object(void *context, uint32_t id, struct names_object *out)
{
	return false;
}

static uint32_t objects_given_up(void *context)
{
	return 0;
}

static const struct names names = {
	.resolve = resolve,
	.get = get,
	.object = object,
	.objects_given_up = objects_given_up,
};

/* ---- Made-up reports ------------------------------------------------------
 */

struct fixture {
	struct profile *profile;
	struct report_target targets[2];
	uint64_t counters[COUNTER_COUNT];
	struct report report;
	char command[64];
};

static void fixture_init(struct fixture *f, double seconds)
{
	memset(f, 0, sizeof(*f));
	f->profile = profile_new();
	strcpy(f->command, "/usr/sbin/server --port 80");
	for (int i = 0; i < 2; i++) {
		f->targets[i] = (struct report_target){
			.pid = 4242 + i,
			.comm = i ? "worker" : "server",
			.command_line = f->command,
			.memory = {.rss_bytes = 200 << 20,
				   .rss_anon_bytes = 150 << 20},
			.alive = true,
		};
	}
	f->counters[COUNTER_ALLOC_HITS] = 300000;
	f->counters[COUNTER_FREE_HITS] = 270000;
	f->counters[COUNTER_SAMPLES] = 1234;
	f->counters[COUNTER_STACK_END + STACK_END_ROOT] = 1234;
	f->report = (struct report){
		.targets = f->targets,
		.target_count = 1,
		.elapsed_seconds = seconds,
		.interval_seconds = 60,
		.top = 10,
		.profile = f->profile,
		.names = &names,
		.counters = f->counters,
		.status = {.observed_share = 1,
			   .outstanding = 500,
			   .outstanding_max = 65536,
			   .kernel_memory_bytes = 40 << 20,
			   .link = LINK_SESSION,
			   .overhead_ns = (uint64_t)(seconds * 8e6)},
	};
}

static void fixture_free(struct fixture *f)
{
	profile_free(f->profile);
}

static void begin(struct fixture *f)
{
	static const struct cohort_layout layout = {.count = 1};
	struct profile_snapshot s = {
		.now_ns = ATTACHED +
			  (uint64_t)(f->report.elapsed_seconds * SECOND),
		.attached_ns = ATTACHED,
		.window_seconds = f->report.interval_seconds,
		.sampling = f->report.status.sampling,
		.cohorts = &layout,
	};

	assert_int_equal(profile_begin(f->profile, &s), 0);
}

/* `frames`: leaf first, 0 at the end. Samples of one interval each. */
static void add(struct fixture *f, uint32_t id, uint32_t end,
		const uint64_t *frames, uint64_t bytes, uint64_t samples)
{
	struct stack_frames stack = {.end = end};
	uint64_t weight = f->report.status.sampling.interval_bytes;
	struct stack_stats s = {
		.alloc_samples = samples,
		.alloc_bytes = bytes,
		.alloc_objects_q8 = samples << 8,
		.first_alloc_ns = ATTACHED + SECOND,
		.last_alloc_ns = ATTACHED + 3 * SECOND,
		.cohort_bytes = {(int64_t)bytes},
		.cohort_objects_q8 = {(int64_t)samples << 8},
		.tgid = 4242 + (id & 1),
	};

	while (frames[stack.depth]) {
		stack.frames[stack.depth] = frames[stack.depth];
		stack.depth++;
	}
	if (weight) {
		s.live_bytes_variance = samples * weight * weight;
		s.alloc_objects_q8 = samples * 16 << 8;
		s.live_objects_variance_q4 = samples * 16 * 16 * 16;
	}
	assert_int_equal(profile_add(f->profile, id, &stack, &s), 0);
}

#define FRAMES(...) ((const uint64_t[]){__VA_ARGS__, 0})

typedef int (*writer)(FILE *, const struct report *);

static char *written(struct fixture *f, writer write)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(profile_end(f->profile), 0);
	assert_int_equal(write(out, &f->report), 0);
	fclose(out);
	return text;
}

static void assert_text(struct fixture *f, writer write, const char *expected)
{
	char *text = written(f, write);

	if (strcmp(text, expected))
		fail_msg("expected:\n%s\nseen:\n%s", expected, text);
	free(text);
}

static void assert_holds(struct fixture *f, const char *expected)
{
	char *text = written(f, report_text);

	if (!strstr(text, expected))
		fail_msg("expected in it:\n%s\nseen:\n%s", expected, text);
	free(text);
}

/* ---- Text -----------------------------------------------------------------
 */

static void text_of_an_exact_report(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, STRDUP, PARSE, MAIN), 3 << 20,
	    9812);
	add(&f, 4, STACK_END_NO_CFI, FRAMES(MALLOC, UNNAMED), 1000, 1);
	assert_text(
		&f, report_text,
		"leakbpf: server (pid 4242), 30 s since attach\n"
		"  command      /usr/sbin/server --port 80\n"
		"  memory       RSS 200.0 MiB (150.0 MiB anonymous)\n"
		"  outstanding  3.0 MiB in 9,813 blocks, 1.5 % of RSS\n"
		"  growth       +6.0 MiB/min since attach\n"
		"  probes       session: 10,000 allocations/s, 9,000 frees/s"
		" (300,000 and 270,000 since attach)\n"
		"  sampling     every block: 1,234 samples, 500 outstanding"
		" (room for 65,536)\n"
		"  overhead     about 0.8 % of one CPU, 40.0 MiB of kernel"
		" memory\n"
		"  losses       nothing lost\n"
		"\n"
		"#1  +6.0 MiB/min  3.0 MiB in 9,812 blocks, age 28 s mean,"
		" 29 s oldest, 9,812 samples\n"
		"    in copy_field() at /src/http/field.h:31\n"
		"    malloc  (libc.so.6)\n"
		"    strdup  (server)\n"
		"    copy_field  field.h:31  (inlined)\n"
		"    parse_header  http.c:212  (server)\n"
		"    main  server.c:9  (server)\n"
		"\n"
		"#2  +2.0 KiB/min  1000 B in 1 block, age 28 s mean,"
		" 29 s oldest, 1 sample\n"
		"    in plugin.so+0x1234 [build-id 00ff]\n"
		"    malloc  (libc.so.6)\n"
		"    plugin.so+0x1234 [build-id 00ff]\n"
		"    [stack ends here: no unwind information and no frame"
		" pointer]\n"
		"\n");
	fixture_free(&f);
}

static void text_shows_intervals_and_rough_estimates(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	f.report.status.sampling.interval_bytes = 65536;
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, PARSE), 312 * 65536, 312);
	add(&f, 4, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 3 * 65536, 3);
	assert_holds(&f, "#1  +39.0 MiB/min  19.5 MiB (±12 %) in 4,992 blocks"
			 " (±12 %), age 28 s mean, 29 s oldest, 312 samples\n");
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, PARSE), 312 * 65536, 312);
	add(&f, 4, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 3 * 65536, 3);
	assert_holds(&f, "192.0 KiB (39.6 KiB to 561.1 KiB) in 48 blocks (10 to"
			 " 140), age 28 s mean, 29 s oldest, 3 samples\n"
			 "    in main() at /src/server.c:9\n"
			 "    few samples: the estimate is rough\n"
			 "    malloc  (libc.so.6)\n");
	fixture_free(&f);
}

static void text_lists_every_loss_by_cause(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	f.counters[COUNTER_LOST_TABLE_FULL] = 12;
	f.counters[COUNTER_MISSED_FREE] = 3456;
	f.counters[COUNTER_STACK_END + STACK_END_READ_FAULT] = 1234;
	f.report.dead_sites = 2;
	f.report.status.objects_without_cfi = 1;
	f.report.status.unwind_rows_lost = 7;
	begin(&f);
	assert_holds(
		&f,
		"  losses       12 samples lost: outstanding table full\n"
		"               3,456 blocks whose free was not seen,"
		" replaced\n"
		"               1,234 stacks cut short: stack memory not "
		"readable"
		" (50 %)\n"
		"               2 probes never fired although others did (see"
		" --explain)\n"
		"               1 objects without unwind information\n"
		"               7 places in programs that stacks end at: too"
		" many unwind rules\n"
		"\n");
	fixture_free(&f);
}

static void text_names_every_target_of_several(void **state)
{
	struct fixture f;

	fixture_init(&f, 90);
	f.report.target_count = 2;
	f.targets[1].alive = false;
	f.report.final = true;
	begin(&f);
	add(&f, 3, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 4096, 4);
	assert_holds(&f, "leakbpf: 2 processes, 1 min 30 s since attach, final"
			 " report\n"
			 "  target       server (pid 4242)\n");
	begin(&f);
	add(&f, 3, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 4096, 4);
	assert_holds(&f, "  target       worker (pid 4243) (exited)\n");
	begin(&f);
	add(&f, 3, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 4096, 4);
	assert_holds(&f, ", 4 samples, pid 4243\n");
	fixture_free(&f);
}

static void text_rates_are_recent_when_the_last_report_is_known(void **state)
{
	struct fixture f;
	uint64_t before[COUNTER_COUNT] = {0};

	fixture_init(&f, 30);
	before[COUNTER_ALLOC_HITS] = 280000;
	before[COUNTER_FREE_HITS] = 270000;
	f.report.counters_before = before;
	f.report.elapsed_before = 20;
	f.report.overhead_ns_before = 1 * SECOND;
	f.report.status.overhead_ns = 3 * SECOND;
	begin(&f);
	assert_holds(&f, "session: 2,000 allocations/s, 0 frees/s (300,000");
	begin(&f);
	assert_holds(&f, "  overhead     about 20 % of one CPU");
	f.report.interval_seconds = 10;
	begin(&f);
	assert_holds(&f, "  growth       0 B/min over the last 10 s\n");
	fixture_free(&f);
}

static void text_says_what_to_do_when_there_is_nothing(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	assert_holds(&f, "\nNothing outstanding was allocated since attach: "
			 "watch longer or lower --sample-bytes.\n");
	f.counters[COUNTER_SAMPLES] = 0;
	begin(&f);
	assert_holds(&f, "\nNo allocation was sampled yet: watch longer");
	f.counters[COUNTER_ALLOC_HITS] = 0;
	begin(&f);
	assert_holds(&f, "\nNo allocation was seen since attach");
	fixture_free(&f);
}

static void text_is_limited_to_the_top(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	f.report.top = 1;
	resolved = 0;
	begin(&f);
	for (uint32_t i = 0; i < 3; i++)
		add(&f, 2 + 2 * i, STACK_END_ROOT, FRAMES(MALLOC, MAIN),
		    1024 << i, 1);
	assert_holds(&f, "\n#1  +8.0 KiB/min  4.0 KiB in 1 block");
	assert_int_equal(resolved, 2);
	begin(&f);
	for (uint32_t i = 0; i < 3; i++)
		add(&f, 2 + 2 * i, STACK_END_ROOT, FRAMES(MALLOC, MAIN),
		    1024 << i, 1);
	assert_holds(&f, "\n2 more stacks with 3.0 KiB outstanding (-n shows "
			 "more)\n");
	fixture_free(&f);
}

static void text_leaves_out_the_middle_of_a_deep_stack(void **state)
{
	uint64_t frames[STACK_FRAMES_MAX + 1] = {0};
	struct fixture f;

	for (int i = 0; i < STACK_FRAMES_MAX; i++)
		frames[i] = i == 0 ? MALLOC : i < 60 ? UNNAMED : MAIN;
	fixture_init(&f, 30);
	begin(&f);
	add(&f, 2, STACK_END_DEPTH, frames, 4096, 1);
	assert_holds(&f, "    plugin.so+0x1234 [build-id 00ff]\n"
			 "    [63 more frames]\n"
			 "    main  server.c:9  (server)\n");
	begin(&f);
	add(&f, 2, STACK_END_DEPTH, frames, 4096, 1);
	assert_holds(&f, "    main  server.c:9  (server)\n"
			 "    [stack ends here: deeper than 127 frames]\n");
	fixture_free(&f);
}

static void text_escapes_hostile_names(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	f.targets[0].comm = "a\x1b]0;x\x07";
	strcpy(f.command, "x\ny");
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, HOSTILE), 4096, 1);
	assert_holds(&f, "leakbpf: a\\x1b]0;x\\x07 (pid 4242)");
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, HOSTILE), 4096, 1);
	assert_holds(&f, "  command      x\\x0ay\n");
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, HOSTILE), 4096, 1);
	assert_holds(&f, "    evil;\\x0a\\x1b[2J\\xff\\xe2\\x80\\xaename"
			 "  a\\x0ab.c:1  (mod\\x1bule)\n");
	fixture_free(&f);
}

static void text_tells_of_other_stacks(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	add(&f, STACK_ID_OVERFLOW, STACK_END_ROOT, FRAMES(0), 4096, 2);
	assert_holds(&f, "    in [other stacks]: more stacks than the table has"
			 " room for\n");
	fixture_free(&f);
}

/* ---- Blame ----------------------------------------------------------------
 */

static const char *blamed(const uint64_t *frames, uint32_t depth)
{
	struct report r = {.names = &names};
	struct profile_stack s = {.frames = frames, .depth = depth};
	struct blame b;

	return report_blame(&r, &s, &b) ? b.level->function : "";
}

static void blames_the_first_function_of_the_program(void **state)
{
	assert_string_equal(blamed(FRAMES(MALLOC, STRDUP, PARSE, MAIN), 4),
			    "copy_field");
	assert_string_equal(blamed(FRAMES(MALLOC, VECTOR, MAIN), 3), "main");
	assert_string_equal(blamed(FRAMES(MALLOC, GETLINE, UNNAMED), 3),
			    "plugin.so+0x1234 [build-id 00ff]");
	assert_string_equal(blamed(FRAMES(MMAP, MAIN), 2), "main");
}

static void blames_the_next_best_when_all_is_library(void **state)
{
	assert_string_equal(blamed(FRAMES(MALLOC, VECTOR), 2),
			    "std::vector<int>::push_back");
	assert_string_equal(blamed(FRAMES(MALLOC), 1), "malloc");
	assert_string_equal(blamed(FRAMES(0), 0), "");
}

static void tells_libraries_from_programs(void **state)
{
	assert_true(blame_is_library("libc.so.6"));
	assert_true(blame_is_library("libc-2.31.so"));
	assert_true(blame_is_library("ld-musl-x86_64.so.1"));
	assert_true(blame_is_library("libjemalloc.so.2"));
	assert_true(blame_is_library("libstdc++.so.6.0.30"));
	assert_false(blame_is_library("libcrypto.so.3"));
	assert_false(blame_is_library("redis-server"));
	assert_false(blame_is_library(""));
	assert_true(blame_is_standard("<alloc::vec::Vec<T> as X>::from_iter"));
	assert_true(blame_is_standard("__gnu_cxx::new_allocator<T>::allocate"));
	assert_false(blame_is_standard("allocate"));
	assert_false(blame_is_standard("standard"));
}

/* ---- Folded ----------------------------------------------------------------
 */

static void folded_is_root_first_and_sorted_by_value(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 1000, 1);
	add(&f, 4, STACK_END_ROOT, FRAMES(MALLOC, STRDUP, PARSE, MAIN), 50000,
	    9);
	add(&f, 6, STACK_END_NO_CFI, FRAMES(MALLOC, UNNAMED), 3000, 2);
	add(&f, 8, STACK_END_ROOT, FRAMES(MMAP, MAIN), 8192, 1);
	add(&f, 10, STACK_END_ROOT, FRAMES(MALLOC), 0, 0);
	add(&f, STACK_ID_OVERFLOW, STACK_END_ROOT, FRAMES(0), 77, 1);
	assert_text(&f, report_folded,
		    "main;parse_header;copy_field;strdup;malloc 50000\n"
		    "main;mmap 8192\n"
		    "[truncated: no unwind information and no frame pointer];"
		    "plugin.so+0x1234 [build-id 00ff];malloc 3000\n"
		    "main;malloc 1000\n"
		    "[other stacks] 77\n");
	fixture_free(&f);
}

static void folded_roots_are_processes_when_there_are_several(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	f.report.target_count = 2;
	f.targets[1].comm = "a;b c";
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 200, 1);
	add(&f, 3, STACK_END_DEPTH, FRAMES(MALLOC, MAIN), 100, 1);
	assert_text(&f, report_folded,
		    "server-4242;main;malloc 200\n"
		    "a:b c-4243;[truncated: deeper than 127 frames];main;"
		    "malloc 100\n");
	fixture_free(&f);
}

static void folded_keeps_hostile_names_in_their_frame(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, HOSTILE, LONG), 4096, 1);
	assert_text(&f, report_folded,
		    "outer::space::very_long_template_name<std::map<int, "
		    "std::string>, std::less<int> >::operator();"
		    "evil:??[2J??name;malloc 4096\n");
	fixture_free(&f);
}

static void folded_of_nothing_is_empty(void **state)
{
	struct fixture f;

	fixture_init(&f, 30);
	begin(&f);
	assert_text(&f, report_folded, "");
	fixture_free(&f);
}

static void an_unwritable_output_is_an_error(void **state)
{
	struct fixture f;
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	fixture_init(&f, 30);
	begin(&f);
	add(&f, 2, STACK_END_ROOT, FRAMES(MALLOC, MAIN), 200, 1);
	assert_int_equal(profile_end(f.profile), 0);
	assert_int_equal(report_text(full, &f.report), -ENOSPC);
	for (int i = 0; i < REPORT_FORMATS; i++)
		assert_int_equal(
			report_write((enum report_format)i, full, &f.report),
			-ENOSPC);
	fclose(full);
	fixture_free(&f);
}

/* ---- Numbers and names ------------------------------------------------------
 */

static void numbers_read_well(void **state)
{
	static const struct {
		struct formatted (*format)(double);
		double value;
		const char *expected;
	} cases[] = {
		{format_bytes, 0, "0 B"},
		{format_bytes, 512, "512 B"},
		{format_bytes, 1023, "1023 B"},
		{format_bytes, 1023.6, "1.0 KiB"},
		{format_bytes, 12595, "12.3 KiB"},
		{format_bytes, 1048575, "1.0 MiB"},
		{format_bytes, 1e9, "953.7 MiB"},
		{format_bytes, 3e12, "2.7 TiB"},
		{format_bytes, 1e300 * 1e300, "?"},
		{format_rate, 1258291, "+1.2 MiB/min"},
		{format_rate, -3072, "-3.0 KiB/min"},
		{format_rate, 0.2, "0 B/min"},
		{format_count, 0, "0"},
		{format_count, 999, "999"},
		{format_count, 1000, "1,000"},
		{format_count, 1234567.4, "1,234,567"},
		{format_count, -1234, "-1,234"},
		{format_count, 1e30, "?"},
		{format_duration, 0, "0.0 s"},
		{format_duration, 4.23, "4.2 s"},
		{format_duration, 9.97, "10 s"},
		{format_duration, 59.7, "1 min"},
		{format_duration, 125, "2 min 5 s"},
		{format_duration, 3599.9, "1 h"},
		{format_duration, 11520, "3 h 12 min"},
		{format_duration, 190000, "2 d 5 h"},
		{format_duration, -1, "?"},
		{format_percent, 0, "0.0 %"},
		{format_percent, 0.0001, "<0.1 %"},
		{format_percent, 0.0084, "0.8 %"},
		{format_percent, 0.0996, "10 %"},
		{format_percent, 1.5, "150 %"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(cases[i].format(cases[i].value).text,
				    cases[i].expected);
}

static void margins_are_symmetric_only_if_they_are(void **state)
{
	struct estimate exact = {100, 100, 100}, nothing = {0, 0, 0};
	struct estimate even = {1000, 920, 1080}, odd = {1024, 512, 3072};
	struct estimate above = {1000, 1000, 2000}, hair = {1000, 1000, 1003};

	assert_string_equal(format_margin(&exact, format_bytes).text, "");
	assert_string_equal(format_margin(&nothing, format_bytes).text, "");
	assert_string_equal(format_margin(&even, format_bytes).text, " (±8 %)");
	assert_string_equal(format_margin(&odd, format_bytes).text,
			    " (512 B to 3.0 KiB)");
	assert_string_equal(format_margin(&above, format_count).text,
			    " (1,000 to 2,000)");
	assert_string_equal(format_margin(&hair, format_count).text, " (±1 %)");
}

static void assert_name(const char *name, size_t columns, const char *expected)
{
	struct text t = {0};

	text_add(&t, "<");
	name_for_people(&t, name, columns);
	assert_string_equal(t.data + 1, expected);
	assert_int_equal(t.size, strlen(t.data));
	text_free(&t);
}

static void long_names_are_shortened_in_the_middle(void **state)
{
	assert_name("short", 20, "short");
	assert_name("abcdefghijklmnopqrstuvwxyz", 15, "abcd...stuvwxyz");
	assert_name("abcdefghijklmnopqrstuvwxyz", 26,
		    "abcdefghijklmnopqrstuvwxyz");
	assert_name("abcdefghijklmnopqrstuvwxyz", 0,
		    "abcdefghijklmnopqrstuvwxyz");
	/* Between characters, not inside one. */
	assert_name("ääääääääääöööööööööö", 12, "äää...öööööö");
}

static void only_valid_utf8_passes(void **state)
{
	assert_name("grüße \xe2\x82\xac", 0, "grüße \xe2\x82\xac");
	assert_name("\xc0\x80", 0, "\\xc0\\x80");	   /* overlong */
	assert_name("\xed\xa0\x80", 0, "\\xed\\xa0\\x80"); /* surrogate */
	assert_name("\xc2\x9b[2J", 0, "\\xc2\\x9b[2J");	   /* C1 CSI */
	assert_name("cut\xe2\x82", 0, "cut\\xe2\\x82");
	assert_name("\x7f\t", 0, "\\x7f\\x09");
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(text_of_an_exact_report),
		T(text_shows_intervals_and_rough_estimates),
		T(text_lists_every_loss_by_cause),
		T(text_names_every_target_of_several),
		T(text_rates_are_recent_when_the_last_report_is_known),
		T(text_says_what_to_do_when_there_is_nothing),
		T(text_is_limited_to_the_top),
		T(text_leaves_out_the_middle_of_a_deep_stack),
		T(text_escapes_hostile_names),
		T(text_tells_of_other_stacks),
		T(blames_the_first_function_of_the_program),
		T(blames_the_next_best_when_all_is_library),
		T(tells_libraries_from_programs),
		T(folded_is_root_first_and_sorted_by_value),
		T(folded_roots_are_processes_when_there_are_several),
		T(folded_keeps_hostile_names_in_their_frame),
		T(folded_of_nothing_is_empty),
		T(an_unwritable_output_is_an_error),
		T(numbers_read_well),
		T(margins_are_symmetric_only_if_they_are),
		T(long_names_are_shortened_in_the_middle),
		T(only_valid_utf8_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
