/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks that mean the same are one for the profile, and nothing about it looks
 * like growth. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "profile/merge.h"

#define SECOND	 1000000000ULL
#define ATTACHED (1000 * SECOND)
#define JS(n)	 ((uint64_t)FRAME_OBJECT_JS << FRAME_OBJECT_SHIFT | (n))
#define MIB	 (1u << 20)

#define NATIVE	    0x1000ULL
#define STUB	    0x2000ULL
#define INTERPRETED JS(1) /* work() ... */
#define COMPILED    JS(2) /* ... the same ... */
#define INLINED	    JS(3) /* ... and inlined into caller() */
#define CALLER	    JS(4)
#define LATE	    JS(5) /* work(), but that is not known at first */
#define WORK	    JS(100)
#define OUTER	    JS(101)
#define RUNTIME	    JS(200) /* a script of the runtime */

struct world {
	struct profile *profile;
	struct stack_merge *merge;
	bool late_is_known;
	uint32_t source; /* of the stacks */
};

static size_t expand(void *context, uint64_t frame, uint64_t *out, size_t max,
		     bool *known)
{
	const struct world *w = context;

	assert_true(max > 0);
	switch (frame) {
	case STUB:
		return 0;
	case INTERPRETED:
	case COMPILED:
		out[0] = WORK;
		return 1;
	case CALLER:
		out[0] = OUTER;
		return 1;
	case INLINED:
		out[0] = WORK;
		if (max > 1)
			out[1] = OUTER;
		return max > 1 ? 2 : 1;
	case LATE:
		if (w->late_is_known) {
			out[0] = WORK;
			return 1;
		}
		*known = false;
		break;
	}
	out[0] = frame;
	return 1;
}

static bool internal(void *context, uint64_t frame)
{
	return frame == RUNTIME;
}

static void open_world(struct world *w)
{
	struct frame_meaning meaning = {
		.expand = expand,
		.internal = internal,
		.context = w,
	};

	*w = (struct world){
		.profile = profile_new(),
		.merge = stack_merge_new(&meaning),
	};
	assert_non_null(w->profile);
	assert_non_null(w->merge);
}

static void close_world(struct world *w)
{
	stack_merge_free(w->merge);
	profile_free(w->profile);
}

struct kernel_stack {
	uint32_t id;
	uint32_t live_mib, freed_mib;
	uint64_t born;	    /* seconds; another birth: another stack */
	uint64_t frames[4]; /* up to the first 0 */
};

static int to_profile(void *context, uint32_t id, const struct stack_frames *f,
		      const struct stack_stats *stats)
{
	return profile_add(context, id, f, stats);
}

static void add(struct world *w, const struct kernel_stack *s)
{
	struct stack_frames frames = {.end = STACK_END_ROOT};
	uint64_t live = (uint64_t)s->live_mib * MIB;
	uint64_t freed = (uint64_t)s->freed_mib * MIB;
	struct stack_stats stats = {
		.alloc_samples = s->live_mib + s->freed_mib,
		.freed_samples = s->freed_mib,
		.alloc_bytes = live + freed,
		.freed_bytes = freed,
		.alloc_objects_q8 = (uint64_t)(s->live_mib + s->freed_mib) << 8,
		.freed_objects_q8 = (uint64_t)s->freed_mib << 8,
		.first_alloc_ns = ATTACHED + (s->born + 1) * SECOND,
		.last_alloc_ns = ATTACHED + (s->born + 2) * SECOND,
		.index_key = s->id * 1000 + s->born,
		.tgid = 7,
		.source = w->source,
		.cohort_bytes = {(int64_t)live},
	};

	while (frames.depth < 4 && s->frames[frames.depth]) {
		frames.frames[frames.depth] = s->frames[frames.depth];
		frames.depth++;
	}
	assert_int_equal(stack_merge_add(w->merge, s->id, &frames, &stats), 0);
}

static void snapshot(struct world *w, uint64_t seconds,
		     const struct kernel_stack *stacks, size_t count)
{
	static const struct cohort_layout cohort = {.count = 1};
	struct profile_snapshot s = {
		.now_ns = ATTACHED + seconds * SECOND,
		.attached_ns = ATTACHED,
		.window_seconds = 10,
		.cohorts = &cohort,
	};

	assert_int_equal(profile_begin(w->profile, &s), 0);
	stack_merge_begin(w->merge, w->profile, to_profile, w->profile);
	for (size_t i = 0; i < count; i++)
		add(w, &stacks[i]);
	assert_int_equal(stack_merge_end(w->merge), 0);
	assert_int_equal(profile_end(w->profile), 0);
}

#define SNAPSHOT(w, seconds, ...)                                              \
	do {                                                                   \
		const struct kernel_stack list[] = {__VA_ARGS__};              \
		snapshot(w, seconds, list, sizeof(list) / sizeof(list[0]));    \
	} while (0)

static const struct profile_stack *only_stack(struct world *w)
{
	size_t count;
	const struct profile_stack *const *list =
		profile_sorted(w->profile, PROFILE_BY_ALLOC, &count);

	assert_int_equal(count, 1);
	return list[0];
}

static void assert_mib(const char *what, double expected, double seen)
{
	if (!(fabs(seen / MIB - expected) < 1e-6))
		fail_msg("%s: expected %.3f MiB, seen %.3f MiB", what, expected,
			 seen / MIB);
}

static void assert_frames(const struct profile_stack *s, uint64_t a, uint64_t b,
			  uint64_t c)
{
	assert_int_equal(s->depth, 3);
	assert_int_equal(s->frames[0], a);
	assert_int_equal(s->frames[1], b);
	assert_int_equal(s->frames[2], c);
}

static void other_stacks_pass_as_they_are(void **state)
{
	struct world w;
	const struct profile_stack *s;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 3, 1, 0, {NATIVE, STUB}});
	s = only_stack(&w);
	assert_int_equal(s->id, 5);
	assert_int_equal(s->depth, 2);
	assert_int_equal(s->frames[1], STUB);
	assert_mib("live", 3, s->live_bytes.value);
	close_world(&w);
}

/* An object on the heap is allocated through other functions of the runtime
 * when its place is known to make old ones; a block through another is another.
 */
static void how_the_runtime_allocates_on_its_heap_is_no_matter(void **state)
{
	struct world w;
	const struct profile_stack *s;
	size_t count;

	open_world(&w);
	w.source = STACK_SOURCE_V8_HEAP;
	SNAPSHOT(&w, 10, {5, 3, 0, 0, {NATIVE, COMPILED, CALLER}},
		 {6, 4, 0, 0, {NATIVE + 8, NATIVE + 16, INLINED}});
	s = only_stack(&w);
	assert_frames(s, NATIVE, WORK, OUTER);
	assert_mib("live", 7, s->live_bytes.value);
	close_world(&w);
	open_world(&w);
	SNAPSHOT(&w, 10, {5, 3, 0, 0, {NATIVE, COMPILED, CALLER}},
		 {6, 4, 0, 0, {NATIVE + 8, COMPILED, CALLER}});
	profile_sorted(w.profile, PROFILE_BY_ALLOC, &count);
	assert_int_equal(count, 2);
	close_world(&w);
}

static void forms_of_a_function_are_one(void **state)
{
	struct world w;
	const struct profile_stack *s;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 3, 1, 0, {NATIVE, INTERPRETED, CALLER}},
		 {6, 4, 0, 0, {NATIVE, STUB, COMPILED, CALLER}},
		 {7, 8, 2, 0, {NATIVE, INLINED}});
	s = only_stack(&w);
	assert_frames(s, NATIVE, WORK, OUTER);
	assert_mib("live", 15, s->live_bytes.value);
	assert_mib("allocated", 18, s->alloc_bytes);
	assert_mib("freed", 3, s->freed_bytes);
	assert_int_equal(s->samples, 15);
	close_world(&w);
}

static void what_the_runtime_does_for_a_function_is_left_out(void **state)
{
	struct world w;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 3, 0, 0, {NATIVE, RUNTIME, INTERPRETED}},
		 {6, 4, 0, 0, {NATIVE, RUNTIME, RUNTIME, COMPILED}},
		 {7, 5, 0, 0, {NATIVE, COMPILED}});
	assert_mib("live", 12, only_stack(&w)->live_bytes.value);
	/* As the first stack had it. */
	assert_frames(only_stack(&w), NATIVE, RUNTIME, WORK);
	close_world(&w);
}

static void the_runtime_itself_is_told_apart(void **state)
{
	struct world w;
	size_t count;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 3, 0, 0, {NATIVE, RUNTIME}},
		 {6, 4, 0, 0, {NATIVE, RUNTIME, RUNTIME}},
		 {7, 5, 0, 0, {NATIVE, INTERPRETED}},
		 {8, 6, 0, 0, {NATIVE, INTERPRETED, RUNTIME}});
	profile_sorted(w.profile, PROFILE_BY_LIVE, &count);
	assert_int_equal(count, 4);
	close_world(&w);
}

static void a_new_form_is_no_growth(void **state)
{
	struct world w;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 10, 0, 0, {NATIVE, INTERPRETED, CALLER}});
	SNAPSHOT(&w, 20, {5, 2, 8, 0, {NATIVE, INTERPRETED, CALLER}},
		 {6, 8, 0, 12, {NATIVE, COMPILED, CALLER}});
	assert_mib("growth", 0, only_stack(&w)->growth_bytes);
	close_world(&w);
}

static void what_is_known_late_is_no_growth(void **state)
{
	struct world w;
	const struct profile_stack *s;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 10, 0, 0, {NATIVE, LATE, CALLER}});
	assert_frames(only_stack(&w), NATIVE, LATE, OUTER);
	w.late_is_known = true;
	SNAPSHOT(&w, 20, {5, 11, 0, 0, {NATIVE, LATE, CALLER}});
	s = only_stack(&w);
	assert_frames(s, NATIVE, WORK, OUTER);
	assert_mib("growth", 1, s->growth_bytes);
	close_world(&w);
}

static void what_joins_another_late_takes_its_past_along(void **state)
{
	struct series_point past[SERIES_POINTS];
	struct world w;
	const struct profile_stack *s;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 10, 1, 0, {NATIVE, LATE, CALLER}},
		 {6, 20, 2, 0, {NATIVE, COMPILED, CALLER}});
	w.late_is_known = true;
	SNAPSHOT(&w, 20, {5, 10, 1, 0, {NATIVE, LATE, CALLER}},
		 {6, 20, 2, 0, {NATIVE, COMPILED, CALLER}});
	s = only_stack(&w);
	assert_mib("live", 30, s->live_bytes.value);
	assert_mib("growth", 0, s->growth_bytes);
	assert_int_equal(profile_history(w.profile, s, past), 2);
	assert_mib("live in the past", 30, past[0].live);
	assert_mib("allocated by then", 33, past[0].allocated);
	assert_mib("allocated", 33, past[1].allocated);
	close_world(&w);
}

static void dropped_stacks_leave_their_past(void **state)
{
	struct series_point past[SERIES_POINTS];
	struct world w;
	const struct profile_stack *s;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 10, 0, 0, {NATIVE, INTERPRETED, CALLER}},
		 {6, 1, 0, 0, {NATIVE, COMPILED, CALLER}});
	/* Stack 5 is freed and gone; its id has another one. */
	SNAPSHOT(&w, 20, {6, 11, 0, 0, {NATIVE, COMPILED, CALLER}},
		 {5, 0, 6, 15, {NATIVE, CALLER}});
	size_t count;
	const struct profile_stack *const *list =
		profile_sorted(w.profile, PROFILE_BY_ALLOC, &count);
	assert_int_equal(count, 2);
	s = list[0];
	assert_frames(s, NATIVE, WORK, OUTER);
	assert_mib("growth", 0, s->growth_bytes);
	assert_mib("allocated", 21, s->alloc_bytes);
	assert_mib("freed", 10, s->freed_bytes);
	assert_int_equal(profile_history(w.profile, s, past), 2);
	assert_mib("live in the past", 11, past[0].live);
	close_world(&w);
}

static void ids_are_used_again_for_new_stacks(void **state)
{
	struct world w;
	uint32_t id;

	open_world(&w);
	SNAPSHOT(&w, 10, {5, 10, 0, 0, {NATIVE, INTERPRETED, CALLER}});
	id = only_stack(&w)->id;
	assert_true(id >= STACK_ID_MERGED && id < STACK_ID_MERGED_END);
	SNAPSHOT(&w, 20, {6, 4, 0, 12, {NATIVE, CALLER}});
	SNAPSHOT(&w, 25, {6, 4, 0, 12, {NATIVE, CALLER}},
		 {7, 9, 0, 21, {NATIVE, INTERPRETED}});
	size_t count;
	const struct profile_stack *const *list =
		profile_sorted(w.profile, PROFILE_BY_LIVE, &count);
	assert_int_equal(count, 2);
	assert_int_equal(list[0]->id, id);
	assert_int_equal(list[0]->depth, 2);
	/* Nothing of the stack that had the id before. */
	assert_mib("growth", 9, list[0]->growth_bytes);
	close_world(&w);
}

static void too_deep_stacks_are_cut(void **state)
{
	struct stack_frames deep = {.depth = STACK_FRAMES_MAX};
	struct stack_stats stats = {
		.alloc_samples = 1,
		.alloc_bytes = MIB,
		.first_alloc_ns = ATTACHED + SECOND,
	};
	static const struct cohort_layout cohort = {.count = 1};
	struct profile_snapshot s = {
		.now_ns = ATTACHED + 10 * SECOND,
		.attached_ns = ATTACHED,
		.cohorts = &cohort,
	};
	struct world w;

	for (int i = 0; i < STACK_FRAMES_MAX; i++)
		deep.frames[i] = INLINED;
	open_world(&w);
	assert_int_equal(profile_begin(w.profile, &s), 0);
	stack_merge_begin(w.merge, w.profile, to_profile, w.profile);
	assert_int_equal(stack_merge_add(w.merge, 5, &deep, &stats), 0);
	assert_int_equal(stack_merge_end(w.merge), 0);
	assert_int_equal(profile_end(w.profile), 0);
	assert_int_equal(only_stack(&w)->depth, STACK_FRAMES_MAX);
	assert_int_equal(only_stack(&w)->end, STACK_END_DEPTH);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_stacks_pass_as_they_are),
		cmocka_unit_test(forms_of_a_function_are_one),
		cmocka_unit_test(
			how_the_runtime_allocates_on_its_heap_is_no_matter),
		cmocka_unit_test(
			what_the_runtime_does_for_a_function_is_left_out),
		cmocka_unit_test(the_runtime_itself_is_told_apart),
		cmocka_unit_test(a_new_form_is_no_growth),
		cmocka_unit_test(what_is_known_late_is_no_growth),
		cmocka_unit_test(what_joins_another_late_takes_its_past_along),
		cmocka_unit_test(dropped_stacks_leave_their_past),
		cmocka_unit_test(ids_are_used_again_for_new_stacks),
		cmocka_unit_test(too_deep_stacks_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
