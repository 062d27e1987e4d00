/* SPDX-License-Identifier: GPL-2.0-only */
/* Capture files: what was written is read, whatever happens to the writer or
 * the file, and the file stays small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/reader.h"
#include "capture/record.h"
#include "capture/thin.h"
#include "capture/writer.h"
#include "capture_file.h"

#define SECOND	 1000000000ULL
#define ATTACHED (5000 * SECOND)
#define STACKS	 3

/* ---- Names ------------------------------------------------------------------
 */

static bool better; /* frame 7 has got a name */

static const struct symbol *get(void *context, uint64_t frame)
{
	static const struct symbol_level levels[] = {
		{.function = "inner;\n\xff<b>", .inlined = true},
		{.function = "outer",
		 .file = "/a/b.c",
		 .line = 3,
		 .column = 9,
		 .approximate = true,
		 .generated_file = "/a/dist/b.js",
		 .generated_line = 30,
		 .generated_column = 90},
	};
	static const struct symbol_level unnamed = {.function = "lib.so+0x7"};
	static const struct symbol symbol = {levels, 2,	   "lib.so",
					     16,     true, .script = true};
	static const struct symbol fallback = {&unnamed, 1, "lib.so", 0,
					       .named = false};

	return (frame & FRAME_ADDRESS_MASK) == 7 && !better ? &fallback
							    : &symbol;
}

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	return 0;
}

static bool object(void *context, uint32_t id, struct names_object *out)
{
	static const uint8_t build_id[] = {0xab, 0xcd, 0xef};

	*out = (struct names_object){
		"/usr/lib/lib.so", build_id, 3, 0x1000, 0x2000, 0x400};
	return id == 1;
}

static uint32_t objects_given_up(void *context)
{
	return 4;
}

static const struct names names = {resolve, get, object, objects_given_up,
				   NULL};

/* ---- Writing
 * ------------------------------------------------------------------ */

static struct capture_writer *create(void)
{
	struct capture_meta meta = {17 * SECOND, "test 1", "6.1"};
	struct capture_writer *w;

	assert_int_equal(capture_create(path, &meta, &w), 0);
	assert_int_equal(capture_process(w, 1, 42, "server", "server -x",
					 "shop", "shop-1"),
			 0);
	return w;
}

/* What stack `id` has at a moment; some never change. */
static struct stack_stats stats_at(uint32_t id, uint64_t seconds)
{
	uint64_t n = id == 3 ? 1 : seconds * id;
	struct stack_stats s = {
		.alloc_samples = n,
		.alloc_bytes = n * 1000,
		.alloc_objects_q8 = n << 8,
		.freed_bytes = id == 2 ? n * 400 : 0,
		.live_bytes_variance = n * n,
		.first_alloc_ns = ATTACHED + SECOND,
		.last_alloc_ns = ATTACHED + seconds * SECOND,
		.index_key = 0xfeed0000 + id,
		.tgid = 42,
		.source = id == 2 ? STACK_SOURCE_V8_HEAP : STACK_SOURCE_NATIVE,
		.cohort_bytes = {(int64_t)(n * 1000), -5},
		.cohort_objects_q8 = {[COHORTS - 1] = (int64_t)n},
		.surely_live_bytes = id == 2 ? 0 : n * 700,
		.windows_variance = id == 2 ? 0 : n << 40,
		.windows_error_bytes = id == 2 ? 0 : n * 30,
	};

	if (id == 3)
		s.last_alloc_ns = s.first_alloc_ns;
	return s;
}

static struct stack_frames frames_of(uint32_t id)
{
	struct stack_frames f = {
		.depth = id, .end = id == 2 ? STACK_END_DEPTH : STACK_END_ROOT};

	for (uint32_t i = 0; i < id; i++)
		f.frames[i] = 1ull << FRAME_OBJECT_SHIFT | (6 + i);
	return f;
}

static void add_stacks(struct capture_writer *w, uint64_t seconds)
{
	for (uint32_t id = 1; id <= STACKS; id++) {
		struct stack_frames f = frames_of(id);
		struct stack_stats s = stats_at(id, seconds);

		assert_int_equal(capture_add(w, id, &f, &s, ATTACHED), 0);
	}
}

static void end_snapshot(struct capture_writer *w, uint64_t seconds, bool final)
{
	struct capture_target target = {.memory = {.rss_bytes = seconds},
					.alive = true};
	struct capture_snapshot s = {
		.elapsed_ns = seconds * SECOND,
		.final = final,
		.status = {.sampling = {.interval_bytes = 4096},
			   .link = LINK_SESSION},
		.cohorts = {.count = 2,
			    .start_ns = {0, SECOND},
			    .slot = {1, 0}},
		.counters = {[COUNTER_COUNT - 1] = seconds},
		.objects_given_up = 4,
		.targets = &target,
		.target_count = 1,
	};

	assert_int_equal(capture_end(w, &s, &names), 0);
}

static void write_capture(uint64_t snapshots)
{
	struct capture_writer *w = create();

	for (uint64_t i = 1; i <= snapshots; i++) {
		add_stacks(w, i * 10);
		end_snapshot(w, i * 10, i == snapshots);
	}
	assert_int_equal(capture_close(w), 0);
}

/* ---- Reading
 * ------------------------------------------------------------------ */

static int check_stack(uint32_t id, const struct stack_frames *f,
		       const struct stack_stats *seen, void *context)
{
	uint64_t seconds = *(uint64_t *)context;
	struct stack_stats expected = stats_at(id, seconds);
	struct stack_frames frames = frames_of(id);

	expected.first_alloc_ns -= ATTACHED;
	expected.last_alloc_ns -= ATTACHED;
	expected.index_key = seen->index_key;
	assert_memory_equal(seen, &expected, sizeof(expected));
	assert_int_equal(f->depth, frames.depth);
	assert_int_equal(f->end, frames.end);
	assert_memory_equal(f->frames, frames.frames, f->depth * 8);
	return 0;
}

/* Reads all; returns the number of snapshots, or what open said. */
static int read_capture(bool *torn)
{
	FILE *in = fopen(path, "re");
	struct capture *c;
	int count = 0, result;

	assert_non_null(in);
	result = capture_open(in, &c);
	if (result)
		return result;
	while ((result = capture_next(c)) == 1) {
		const struct capture_snapshot *s = capture_snapshot(c);
		uint64_t seconds = s->elapsed_ns / SECOND;

		count++;
		assert_int_equal(s->targets[0].memory.rss_bytes, seconds);
		assert_int_equal(s->counters[COUNTER_COUNT - 1], seconds);
		assert_int_equal(s->status.link, LINK_SESSION);
		assert_int_equal(capture_each_stack(c, check_stack, &seconds),
				 0);
	}
	assert_int_equal(result, 0);
	*torn = capture_is_torn(c);
	capture_close_reader(c);
	return count;
}

static void reads_what_was_written(void **state)
{
	bool torn;

	write_capture(5);
	assert_int_equal(read_capture(&torn), 5);
	assert_false(torn);
}

static struct capture_snapshot read_last(struct capture **c)
{
	assert_int_equal(capture_open(fopen(path, "re"), c), 0);
	while (capture_next(*c) == 1)
		;
	return *capture_snapshot(*c);
}

static void keeps_what_is_known_of_programs(void **state)
{
	struct capture_snapshot s = {
		.elapsed_ns = SECOND,
		.status = {.own_samplers = 2,
			   .page_targets = 3,
			   .objects_lost = 4,
			   .unwind_rows_lost = 6,
			   .js_incomplete = 8},
		.following = {.present = true,
			      .selection = "--comm a",
			      .attached = 10,
			      .let_go = 9,
			      .waiting = 8,
			      .no_room = 7,
			      .starts_missed = 6,
			      .reasons = {{"denied", 5}, {"later", 1}},
			      .reason_count = 2},
		.go = {.heaps = {{42, 17, -1, true, 512e3}, {43, 1, 2.5}},
		       .heap_count = 2,
		       .all = true},
		.heaps = {.present = true,
			  .heaps = {{.pid = 42, .sampled_share = 0.25},
				    {.pid = 43, .sampled_share = 1}},
			  .heap_count = 2},
		.unwatched_seconds = 11,
		.own_resident_bytes = 12,
		.own_cpu_seconds = 1.25,
		.left_out = 9,
	};
	struct capture_writer *w = create();
	struct capture *c;
	struct capture_snapshot seen;

	assert_int_equal(capture_end(w, &s, &names), 0);
	assert_int_equal(capture_close(w), 0);
	seen = read_last(&c);
	assert_memory_equal(&seen.following, &s.following, sizeof(s.following));
	assert_memory_equal(&seen.go, &s.go, sizeof(s.go));
	assert_int_equal(seen.heaps.heap_count, 2);
	assert_int_equal(seen.heaps.heaps[0].pid, 42);
	assert_true(seen.heaps.heaps[0].sampled_share == 0.25);
	assert_true(seen.heaps.heaps[1].sampled_share == 1);
	assert_int_equal(seen.status.own_samplers, 2);
	assert_int_equal(seen.status.page_targets, 3);
	assert_int_equal(seen.status.objects_lost, 4);
	assert_int_equal(seen.status.unwind_rows_lost, 6);
	assert_int_equal(seen.status.js_incomplete, 8);
	assert_int_equal(seen.left_out, 9);
	assert_int_equal(seen.unwatched_seconds, 11);
	assert_int_equal(seen.own_resident_bytes, 12);
	assert_true(seen.own_cpu_seconds == 1.25);
	capture_close_reader(c);
}

/* However many processes come and go, those that are there have a number. */
static void a_process_may_take_over_a_number(void **state)
{
	struct capture_target targets[2] = {{.alive = true}, {.gone = true}};
	struct capture_snapshot s = {.targets = targets, .target_count = 2};
	struct capture_writer *w = create();
	struct capture *c;

	assert_int_equal(capture_process(w, 2, 43, "second", "", "", ""), 0);
	assert_int_equal(capture_process(w, 1, 44, "third", "x", "", ""), 0);
	assert_int_equal(capture_end(w, &s, &names), 0);
	assert_int_equal(capture_close(w), 0);
	s = read_last(&c);
	assert_int_equal(capture_process_count(c), 2);
	assert_int_equal(capture_process_at(c, 0)->pid, 44);
	assert_string_equal(capture_process_at(c, 0)->comm, "third");
	assert_int_equal(capture_process_at(c, 1)->pid, 43);
	assert_true(s.targets[0].alive && !s.targets[0].gone);
	assert_true(s.targets[1].gone && !s.targets[1].alive);
	capture_close_reader(c);

	w = create();
	assert_int_equal(capture_process(w, 3, 43, "no second", "", "", ""), 0);
	assert_int_equal(capture_close(w), 0);
	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	assert_int_equal(capture_next(c), -EINVAL);
	capture_close_reader(c);
}

static void knows_processes_and_names(void **state)
{
	uint64_t frame = 1ull << FRAME_OBJECT_SHIFT | 7;
	const struct symbol *s;
	struct names_object o;
	struct capture *c;
	struct names n;

	better = false;
	write_capture(2);
	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	while (capture_next(c) == 1)
		;
	assert_int_equal(capture_started_ns(c), 17 * SECOND);
	assert_string_equal(capture_generator(c), "test 1");
	assert_int_equal(capture_process_count(c), 1);
	assert_string_equal(capture_process_at(c, 0)->command_line,
			    "server -x");
	n = capture_names(c);
	assert_int_equal(n.objects_given_up(n.context), 4);
	s = n.get(n.context, frame - 1);
	assert_int_equal(s->level_count, 2);
	assert_string_equal(s->levels[0].function, "inner;\n\xff<b>");
	assert_true(s->levels[0].inlined && s->named && s->script);
	assert_true(s->levels[1].approximate && !s->levels[0].approximate);
	assert_null(s->levels[0].file);
	assert_string_equal(s->levels[1].file, "/a/b.c");
	assert_int_equal(s->levels[1].column, 9);
	assert_null(s->levels[0].generated_file);
	assert_string_equal(s->levels[1].generated_file, "/a/dist/b.js");
	assert_int_equal(s->levels[1].generated_line, 30);
	assert_int_equal(s->levels[1].generated_column, 90);
	assert_string_equal(s->module, "lib.so");
	assert_false(n.get(n.context, frame)->named);
	assert_false(n.get(n.context, frame)->script);
	assert_true(n.object(n.context, 1, &o));
	assert_string_equal(o.path, "/usr/lib/lib.so");
	assert_int_equal(o.build_id_size, 3);
	assert_int_equal(o.build_id[2], 0xef);
	assert_int_equal(o.text_offset, 0x400);
	assert_false(n.object(n.context, 2, &o));
	s = n.get(n.context, frame + 0x100);
	assert_string_equal(s->levels[0].function, "lib.so+0x107");
	s = n.get(n.context, 0x123);
	assert_string_equal(s->levels[0].function, "0x123");
	capture_close_reader(c);
}

static void a_better_name_replaces_the_first(void **state)
{
	uint64_t frame = 1ull << FRAME_OBJECT_SHIFT | 7;
	struct capture_writer *w = create();
	struct capture *c;
	struct names n;

	better = false;
	add_stacks(w, 10);
	end_snapshot(w, 10, false);
	better = true;
	add_stacks(w, 20);
	end_snapshot(w, 20, true);
	assert_int_equal(capture_close(w), 0);
	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	assert_int_equal(capture_next(c), 1);
	n = capture_names(c);
	assert_false(n.get(n.context, frame)->named);
	assert_int_equal(capture_next(c), 1);
	assert_true(n.get(n.context, frame)->named);
	capture_close_reader(c);
}

static int count_stack(uint32_t id, const struct stack_frames *f,
		       const struct stack_stats *s, void *context)
{
	*(uint32_t *)context |= 1u << id;
	return 0;
}

static uint32_t stacks_of_next(struct capture *c)
{
	uint32_t ids = 0;

	assert_int_equal(capture_next(c), 1);
	assert_int_equal(capture_each_stack(c, count_stack, &ids), 0);
	return ids;
}

static void stacks_come_and_go_and_ids_are_given_again(void **state)
{
	struct stack_frames f = frames_of(3);
	struct stack_stats s = stats_at(1, 20);
	struct capture_writer *w = create();
	struct capture *c;

	add_stacks(w, 10);
	end_snapshot(w, 10, false);
	s.index_key++; /* another stack */
	assert_int_equal(capture_add(w, 1, &f, &s, ATTACHED), 0);
	end_snapshot(w, 20, false);
	add_stacks(w, 30);
	end_snapshot(w, 30, true);
	assert_int_equal(capture_close(w), 0);
	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	assert_int_equal(stacks_of_next(c), 0xe);
	assert_int_equal(stacks_of_next(c), 0x2);
	assert_int_equal(stacks_of_next(c), 0xe);
	capture_close_reader(c);
}

/* ---- Damage
 * --------------------------------------------------------------------- */

static char *read_file(size_t *size)
{
	FILE *f = fopen(path, "re");
	char *bytes = malloc(1 << 20);

	assert_non_null(f);
	*size = fread(bytes, 1, 1 << 20, f);
	fclose(f);
	return bytes;
}

static void write_file(const char *bytes, size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(bytes, 1, size, f), size);
	fclose(f);
}

static void a_file_cut_anywhere_reads_up_to_there(void **state)
{
	int before = 0;
	size_t size;
	char *bytes;
	bool torn;

	write_capture(3);
	bytes = read_file(&size);
	for (size_t i = 0; i <= size; i++) {
		int count;

		write_file(bytes, i);
		count = read_capture(&torn);
		if (count < 0)
			assert_true(count == -EINVAL && !before);
		else
			assert_in_range(count, before, before + 1);
		before = count > before ? count : before;
	}
	assert_int_equal(before, 3);
	free(bytes);
}

static void damage_is_seen(void **state)
{
	size_t size;
	char *bytes;
	bool torn;

	write_capture(2);
	bytes = read_file(&size);
	for (size_t i = 0; i < size; i++) {
		int count;

		if (i >= 12 && i < 16) /* reserved */
			continue;
		bytes[i] ^= 0x20;
		write_file(bytes, size);
		count = read_capture(&torn);
		if (count >= 0 && !torn)
			fail_msg("byte %zu changed: %d snapshots, no word of "
				 "it",
				 i, count);
		bytes[i] ^= 0x20;
	}
	free(bytes);
}

static void other_files_are_refused(void **state)
{
	bool torn;

	write_file("", 0);
	assert_int_equal(read_capture(&torn), -EINVAL);
	write_file("#!/bin/sh\necho no capture at all\n", 32);
	assert_int_equal(read_capture(&torn), -EINVAL);
	/* Later versions, and none. */
	write_file("\x89LBPF\r\n\x1a\x04\0\0\0\0\0\0\0", 16);
	assert_int_equal(read_capture(&torn), -ENOTSUP);
	write_file("\x89LBPF\r\n\x1a\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(read_capture(&torn), -ENOTSUP);
}

static void writing_errors_are_told(void **state)
{
	struct capture_meta meta = {1, "g", "k"};
	struct capture_writer *w;

	assert_int_equal(capture_create("/nonexistent/capture", &meta, &w),
			 -ENOENT);
}

/* ---- A long time
 * ------------------------------------------------------------------ */

static void a_day_stays_small(void **state)
{
	struct stat st;
	bool torn;
	int count;

	write_capture(8640); /* every ten seconds */
	assert_int_equal(stat(path, &st), 0);
	if (st.st_size > 64 << 10)
		fail_msg("expected at most 64 KiB, seen %lld",
			 (long long)st.st_size);
	count = read_capture(&torn);
	assert_false(torn);
	assert_in_range(count, 80, 144);
}

static void thinning_keeps_the_ends_and_the_recent(void **state)
{
	uint64_t seconds[1000];
	bool keep[1000];
	size_t kept, recent = 0;

	for (int i = 0; i < 1000; i++)
		seconds[i] = (uint64_t)i * 10 * SECOND;
	kept = thin_choose(seconds, 1000, 100, keep);
	assert_in_range(kept, 80, 110);
	assert_true(keep[0] && keep[999]);
	for (int i = 750; i < 1000; i++)
		recent += keep[i];
	assert_in_range(recent, kept * 4 / 10, kept * 6 / 10);
	assert_int_equal(thin_choose(seconds, 0, 100, keep), 0);
	assert_int_equal(thin_choose(seconds, 1, 100, keep), 1);
	assert_int_equal(thin_choose(seconds, 2, 100, keep), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_was_written),
		cmocka_unit_test(knows_processes_and_names),
		cmocka_unit_test(keeps_what_is_known_of_programs),
		cmocka_unit_test(a_process_may_take_over_a_number),
		cmocka_unit_test(a_better_name_replaces_the_first),
		cmocka_unit_test(stacks_come_and_go_and_ids_are_given_again),
		cmocka_unit_test(a_file_cut_anywhere_reads_up_to_there),
		cmocka_unit_test(damage_is_seen),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(writing_errors_are_told),
		cmocka_unit_test(a_day_stays_small),
		cmocka_unit_test(thinning_keeps_the_ends_and_the_recent),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
