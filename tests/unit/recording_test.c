/* SPDX-License-Identifier: GPL-2.0-only */
/* What a capture has no room for is left out, and the report says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "capture/reader.h"
#include "cli/heap_facts.h"
#include "cli/program_facts.h"
#include "cli/recording.h"
#include "capture_file.h"

#define TARGETS	 (CAPTURE_PROCESSES_MAX + 30)
#define HEAPS	 (CAPTURE_HEAPS_MAX + 6)
#define GO_HEAPS (CAPTURE_GO_MAX + 2)
#define STACKS	 (CAPTURE_TYPES_MAX / REPORT_HEAP_TYPES + 25)

static uint32_t none_given_up(void *context)
{
	return 0;
}

static size_t types(void *context, uint32_t stack,
		    struct heap_type out[REPORT_HEAP_TYPES])
{
	for (int i = 0; i < REPORT_HEAP_TYPES; i++)
		out[i] = (struct heap_type){.name = "Object", .share = 0.25};
	return REPORT_HEAP_TYPES;
}

/* ---- Writing --------------------------------------------------------------
 */

static struct target_process processes[TARGETS];
static struct target_process *list[TARGETS];

static void record(struct capture_writer *w, struct targets *targets,
		   const struct report_v8 *v8, struct profile *profile)
{
	static const struct report_go_heap go_heaps[GO_HEAPS];
	static const uint64_t counters[COUNTER_COUNT];
	const struct names names = {.objects_given_up = none_given_up};
	const struct report_go go = {.heaps = go_heaps, .heap_count = GO_HEAPS};
	const struct report r = {
		.names = &names,
		.counters = counters,
		.profile = profile,
		.v8 = v8,
		.go = v8 ? &go : NULL,
	};
	const struct diagnosis_facts facts = {0};
	const struct cohort_layout cohorts = {0};

	assert_int_equal(
		recording_snapshot(w, targets, &r, &facts, &cohorts, 1, 2), 0);
}

/* As many, of which all are this process. */
static struct targets targets_of(size_t count)
{
	struct targets targets = {.list = list, .count = count};

	for (size_t i = 0; i < count; i++) {
		processes[i] = (struct target_process){
			.process = {.pid = getpid(), .pidfd = -1}};
		list[i] = &processes[i];
	}
	return targets;
}

/* What the reports of the capture say has been left out. */
static uint64_t left_out(void)
{
	struct program_facts facts;
	struct report r = {0};
	struct capture *c;

	assert_int_equal(capture_open(fopen(path, "re"), &c), 0);
	while (capture_next(c) == 1)
		;
	program_facts_show(&facts, capture_snapshot(c), &r);
	assert_false(capture_is_torn(c));
	capture_close_reader(c);
	return r.left_out;
}

/* ---- Tests ----------------------------------------------------------------
 */

static void processes_without_room_are_counted(void **state)
{
	struct targets targets = targets_of(TARGETS);
	struct capture_writer *w;

	assert_int_equal(recording_open(path, &w), 0);
	record(w, &targets, NULL, NULL);
	assert_int_equal(left_out(), TARGETS - CAPTURE_PROCESSES_MAX);
	assert_int_equal(targets.recorded, CAPTURE_PROCESSES_MAX);
	/* When others are gone there is room. */
	targets.list += 30;
	targets.count -= 30;
	record(w, &targets, NULL, NULL);
	assert_int_equal(left_out(), 0);
	assert_int_equal(processes[TARGETS - 1].recorded, 30);
	assert_int_equal(capture_close(w), 0);
}

static void heaps_and_types_without_room_are_counted(void **state)
{
	static const struct heap_summary heaps[HEAPS];
	const struct report_v8 v8 = {
		.heaps = heaps, .heap_count = HEAPS, .types = types};
	struct targets targets = targets_of(1);
	struct profile *profile = profile_new();
	const struct cohort_layout cohorts = {.count = 1};
	const struct profile_snapshot snapshot = {
		.now_ns = 2,
		.attached_ns = 1,
		.sampling = {.interval_bytes = 1},
		.cohorts = &cohorts,
	};
	struct stack_frames f = {.depth = 1, .end = STACK_END_ROOT};
	struct capture_writer *w;

	assert_non_null(profile);
	assert_int_equal(profile_begin(profile, &snapshot), 0);
	for (uint32_t id = 1; id <= STACKS; id++) {
		struct stack_stats s = {.alloc_bytes = 8,
					.alloc_samples = 1,
					.source = STACK_SOURCE_V8_HEAP};

		f.frames[0] = id;
		assert_int_equal(profile_add(profile, id, &f, &s), 0);
	}
	assert_int_equal(profile_end(profile), 0);
	assert_int_equal(recording_open(path, &w), 0);
	record(w, &targets, &v8, profile);
	assert_int_equal(left_out(), 6 + 2 + 25 * REPORT_HEAP_TYPES);
	assert_int_equal(capture_close(w), 0);
	profile_free(profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_without_room_are_counted),
		cmocka_unit_test(heaps_and_types_without_room_are_counted),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
