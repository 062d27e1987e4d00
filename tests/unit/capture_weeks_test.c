/* SPDX-License-Identifier: GPL-2.0-only */
/* Captures of weeks in which programs come and go: the names of what is gone
 * are gone, too, those of the others stay right. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/reader.h"
#include "capture/writer.h"
#include "capture_file.h"

#define SECOND	     1000000000ULL
#define LASTING	     1	/* a stack that is there all the time */
#define BRIEF	     10 /* the first of those that come and go */
#define BRIEF_STACKS 5	/* at once */
#define DEPTH	     4
#define OBJECTS	     200 /* ids that are used again and again */
#define SNAPSHOTS    1500
#define FILE_BYTES   (256 << 10)

/* ---- Programs that come and go: the nth has a file, a process and a stack of
 * its own */

struct world {
	uint64_t programs;
	struct symbol_level level;
	struct symbol symbol;
	char function[160], file[160];
};

static uint32_t object_of(uint64_t program)
{
	return (uint32_t)(2 + program % OBJECTS);
}

/* Which of those that had the object's id has it now. */
static uint64_t owner_of(const struct world *w, uint32_t object)
{
	uint64_t program = w->programs;

	while (object_of(program) != object)
		program--;
	return program;
}

static void name_of(uint64_t program, uint64_t address, char out[160])
{
	snprintf(out, 160, "function_%llu_of_program_%llu_%0100u",
		 (unsigned long long)address, (unsigned long long)program, 7);
}

static const struct symbol *get(void *context, uint64_t frame)
{
	struct world *w = context;
	uint32_t object = (uint32_t)(frame >> FRAME_OBJECT_SHIFT);
	uint64_t program = object == 1 ? 0 : owner_of(w, object);

	name_of(program, frame & FRAME_ADDRESS_MASK, w->function);
	snprintf(w->file, sizeof(w->file), "/src/%llu.c",
		 (unsigned long long)program);
	w->level = (struct symbol_level){
		.function = w->function,
		.file = w->file,
		.line = 3,
		.generated_file = "/dist.js",
		.generated_line = (uint32_t)program,
	};
	w->symbol = (struct symbol){.levels = &w->level,
				    .level_count = 1,
				    .module = "program",
				    .named = true};
	return &w->symbol;
}

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	return 0;
}

static bool object(void *context, uint32_t id, struct names_object *out)
{
	struct world *w = context;
	uint64_t program = id == 1 ? 0 : owner_of(w, id);

	snprintf(w->file, sizeof(w->file), "/bin/program_%llu",
		 (unsigned long long)program);
	*out = (struct names_object){.path = w->file,
				     .text_start = 0x1000,
				     .text_end = 0x2000 + program};
	return true;
}

static uint32_t objects_given_up(void *context)
{
	return 0;
}

/* ---- Writing --------------------------------------------------------------
 */

static void add_stack(struct capture_writer *w, uint32_t id, uint32_t object,
		      uint64_t program, uint64_t seconds)
{
	struct stack_frames f = {.depth = DEPTH, .end = STACK_END_ROOT};
	struct stack_stats s = {
		.alloc_samples = seconds,
		.alloc_bytes = seconds * 1000,
		.index_key = 0xfeed0000 + program,
		.tgid = (uint32_t)(100 + program),
	};

	for (uint32_t i = 0; i < DEPTH; i++)
		f.frames[i] = (uint64_t)object << FRAME_OBJECT_SHIFT | (7 + i);
	assert_int_equal(capture_add(w, id, &f, &s, 0), 0);
}

/* A new program; the oldest ends, and its object's id rests for a while. */
static void start_program(struct world *world, struct capture_writer *w)
{
	static bool gone[OBJECTS_MAX];
	uint64_t program = ++world->programs;
	char name[32];

	gone[object_of(program)] = true;
	capture_forget_objects(w, gone);
	gone[object_of(program)] = false;
	snprintf(name, sizeof(name), "program_%llu",
		 (unsigned long long)program);
	assert_int_equal(capture_process(w, 2 + program % BRIEF_STACKS,
					 (pid_t)(100 + program), name, name, "",
					 ""),
			 0);
}

static void take_snapshot(struct world *world, struct capture_writer *w,
			  uint64_t seconds)
{
	struct names names = {resolve, get, object, objects_given_up, world};
	struct capture_target targets[1 + BRIEF_STACKS] = {
		{.alive = true, .memory = {.rss_bytes = seconds}}};
	struct capture_snapshot s = {.elapsed_ns = seconds * SECOND,
				     .targets = targets,
				     .target_count = 1 + BRIEF_STACKS};

	add_stack(w, LASTING, 1, 0, seconds);
	for (uint64_t p = world->programs - BRIEF_STACKS + 1;
	     p <= world->programs; p++)
		add_stack(w, BRIEF + (uint32_t)(p % BRIEF_STACKS), object_of(p),
			  p, seconds);
	assert_int_equal(capture_end(w, &s, &names), 0);
}

static void write_weeks(struct world *world)
{
	struct capture_meta meta = {17 * SECOND, "test 1", "6.1"};
	struct capture_writer *w;

	assert_int_equal(capture_create(path, &meta, &w), 0);
	assert_int_equal(capture_process(w, 1, 100, "lasting", "", "", ""), 0);
	for (uint64_t i = 0; i < BRIEF_STACKS; i++) {
		/* Numbers begin where the last one ended. */
		assert_int_equal(capture_process(w, 2 + i, 1, "", "", "", ""),
				 0);
	}
	for (uint64_t i = 0; i < BRIEF_STACKS; i++)
		start_program(world, w);
	for (uint64_t i = 1; i <= SNAPSHOTS; i++) {
		take_snapshot(world, w, i * 10);
		start_program(world, w);
		start_program(world, w);
	}
	take_snapshot(world, w, (SNAPSHOTS + 1) * 10);
	assert_int_equal(capture_close(w), 0);
}

/* ---- Reading --------------------------------------------------------------
 */

struct seen {
	struct names names;
	const struct world *world;
	uint32_t stacks;
};

static int check_stack(uint32_t id, const struct stack_frames *f,
		       const struct stack_stats *stats, void *context)
{
	struct seen *seen = context;
	uint64_t program = stats->tgid - 100;

	seen->stacks++;
	assert_int_equal(f->depth, DEPTH);
	for (uint32_t i = 0; i < f->depth; i++) {
		const struct symbol *s =
			seen->names.get(seen->names.context, f->frames[i]);
		char expected[160];

		name_of(program, 7 + i, expected);
		assert_true(s->named);
		assert_string_equal(s->levels[0].function, expected);
		assert_int_equal(s->levels[0].generated_line, program);
		assert_string_equal(s->module, "program");
	}
	return 0;
}

static void check_object(const struct seen *seen, uint64_t program)
{
	uint32_t id = program ? object_of(program) : 1;
	struct names_object o;
	char expected[32];

	snprintf(expected, sizeof(expected), "/bin/program_%llu",
		 (unsigned long long)program);
	assert_true(seen->names.object(seen->names.context, id, &o));
	assert_string_equal(o.path, expected);
	assert_int_equal(o.text_end, 0x2000 + program);
}

static void check_processes(const struct capture *c, const struct world *w)
{
	assert_int_equal(capture_process_count(c), 1 + BRIEF_STACKS);
	assert_string_equal(capture_process_at(c, 0)->comm, "lasting");
	for (uint64_t p = w->programs - BRIEF_STACKS + 1; p <= w->programs; p++)
		assert_int_equal(
			capture_process_at(c, 1 + p % BRIEF_STACKS)->pid,
			100 + p);
}

static void names_of_what_is_gone_do_not_add_up(void **state)
{
	struct world world = {0};
	struct seen seen = {.world = &world};
	struct capture *c;
	struct stat st;
	int result, count = 0;

	write_weeks(&world);
	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	while ((result = capture_next(c)) == 1)
		assert_int_equal(
			capture_snapshot(c)->targets[0].memory.rss_bytes *
				SECOND,
			capture_snapshot(c)->elapsed_ns),
			count++;
	assert_int_equal(result, 0);
	assert_in_range(count, 80, 144);
	check_processes(c, &world);
	seen.names = capture_names(c);
	assert_int_equal(capture_each_stack(c, check_stack, &seen), 0);
	assert_int_equal(seen.stacks, 1 + BRIEF_STACKS);
	check_object(&seen, 0);
	for (uint64_t p = world.programs - BRIEF_STACKS + 1;
	     p <= world.programs; p++)
		check_object(&seen, p);
	capture_close_reader(c);
	assert_int_equal(stat(path, &st), 0);
	if (st.st_size > FILE_BYTES)
		fail_msg("expected at most %d bytes, seen %lld", FILE_BYTES,
			 (long long)st.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_what_is_gone_do_not_add_up),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
