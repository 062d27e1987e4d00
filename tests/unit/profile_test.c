/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "find_stack.h"
#include "profile/profile.h"

#define SECOND	 1000000000ULL
#define ATTACHED (1000 * SECOND)

/* One stack as the kernel would count it. */
struct fake_stack {
	uint32_t id;
	struct stack_frames frames;
	struct stack_stats stats;
};

static struct fake_stack fake(uint32_t id, uint64_t live_bytes)
{
	struct fake_stack s = {.id = id};

	s.frames.depth = 2;
	s.frames.frames[0] = 0x1000 + id;
	s.frames.frames[1] = 0x2000 + id;
	s.stats.index_key = 77 + id;
	s.stats.tgid = 42;
	s.stats.alloc_samples = 10;
	s.stats.alloc_bytes = live_bytes + 500;
	s.stats.freed_bytes = 500;
	s.stats.alloc_objects_q8 = 256 * 10;
	s.stats.first_alloc_ns = ATTACHED + SECOND;
	s.stats.last_alloc_ns = ATTACHED + 5 * SECOND;
	s.stats.cohort_bytes[0] = (int64_t)live_bytes;
	s.stats.cohort_objects_q8[0] = 256 * 10;
	return s;
}

static void set_live(struct fake_stack *s, uint64_t live_bytes)
{
	s->stats.alloc_bytes = live_bytes + s->stats.freed_bytes;
	s->stats.cohort_bytes[0] = (int64_t)live_bytes;
}

static const struct cohort_layout one_cohort = {.count = 1};

static struct profile_snapshot at(uint64_t seconds, double window)
{
	return (struct profile_snapshot){
		.now_ns = ATTACHED + seconds * SECOND,
		.attached_ns = ATTACHED,
		.window_seconds = window,
		.cohorts = &one_cohort,
	};
}

static void take(struct profile *p, const struct profile_snapshot *s,
		 const struct fake_stack *stacks, size_t count)
{
	assert_int_equal(profile_begin(p, s), 0);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(profile_add(p, stacks[i].id, &stacks[i].frames,
					     &stacks[i].stats),
				 0);
	assert_int_equal(profile_end(p), 0);
}

static void assert_near(const char *what, double expected, double seen)
{
	if (!(fabs(expected - seen) <= 1e-6 * fabs(expected) + 1e-9))
		fail_msg("%s: expected %.9g, seen %.9g", what, expected, seen);
}

static void exact_counts_come_out_as_they_are(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(9, 1500);
	struct profile_snapshot shot = at(10, 0);
	const struct profile_stack *v;

	take(p, &shot, &s, 1);
	v = find_stack(p, 9);
	assert_int_equal(v->tgid, 42);
	assert_int_equal(v->depth, 2);
	assert_int_equal(v->frames[1], 0x2009);
	assert_int_equal(v->samples, 10);
	assert_near("live", 1500, v->live_bytes.value);
	assert_near("low", 1500, v->live_bytes.low);
	assert_near("high", 1500, v->live_bytes.high);
	assert_near("objects", 10, v->live_objects.value);
	assert_near("allocated", 2000, v->alloc_bytes);
	assert_near("freed", 500, v->freed_bytes);
	assert_near("first seen", 1, v->first_seen_seconds);
	assert_near("last alloc", 5, v->last_alloc_seconds);
	profile_free(p);
}

static void the_first_snapshot_grows_from_nothing_at_attach(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 1000);
	struct profile_snapshot shot = at(30, 10);

	take(p, &shot, &s, 1);
	assert_near("growth", 1000, find_stack(p, 2)->growth_bytes);
	assert_near("per minute", 2000,
		    find_stack(p, 2)->growth_bytes_per_minute);
	profile_free(p);
}

static void growth_is_the_difference_over_the_window(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 0);

	for (uint64_t i = 1; i <= 10; i++) {
		struct profile_snapshot shot = at(10 * i, 30);

		set_live(&s, 100 * i * i);
		take(p, &shot, &s, 1);
	}
	/* 10000 now, 4900 at 70 s. */
	assert_near("growth", 5100, find_stack(p, 2)->growth_bytes);
	assert_near("per minute", 10200,
		    find_stack(p, 2)->growth_bytes_per_minute);
	profile_free(p);
}

static void a_window_of_zero_reaches_back_to_attach(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 0);

	for (uint64_t i = 1; i <= 200; i++) {
		struct profile_snapshot shot = at(10 * i, 0);

		set_live(&s, 100 * i);
		take(p, &shot, &s, 1);
	}
	assert_near("growth", 20000, find_stack(p, 2)->growth_bytes);
	assert_near("per minute", 600,
		    find_stack(p, 2)->growth_bytes_per_minute);
	profile_free(p);
}

/* 600 snapshots in a window that remembers 64: the slope must stay right. */
static void a_long_window_is_thinned_without_bending_the_slope(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 0);

	for (uint64_t i = 1; i <= 2000; i++) {
		struct profile_snapshot shot = at(i, 600);

		set_live(&s, 1000 * i);
		take(p, &shot, &s, 1);
		if (i < 700)
			continue;
		assert_near("per minute", 60000,
			    find_stack(p, 2)->growth_bytes_per_minute);
		if (fabs(find_stack(p, 2)->growth_bytes - 600e3) > 30e3)
			fail_msg("after %d s: window is %.0f s, not 600 +- 30",
				 (int)i, find_stack(p, 2)->growth_bytes / 1000);
	}
	profile_free(p);
}

static void a_stack_seen_later_has_grown_from_nothing(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s[2] = {fake(2, 1000), fake(3, 700)};
	struct profile_snapshot shot = at(10, 10);

	take(p, &shot, s, 1);
	shot = at(20, 10);
	take(p, &shot, s, 2);
	assert_near("old", 0, find_stack(p, 2)->growth_bytes);
	assert_near("new", 700, find_stack(p, 3)->growth_bytes);
	profile_free(p);
}

static void a_recycled_id_starts_anew(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 1000);
	struct profile_snapshot shot = at(10, 10);

	take(p, &shot, &s, 1);
	set_live(&s, 300);
	s.frames.frames[1] = 0xbeef;
	shot = at(20, 10);
	take(p, &shot, &s, 1);
	assert_near("other frames", 300, find_stack(p, 2)->growth_bytes);
	assert_int_equal(find_stack(p, 2)->frames[1], 0xbeef);
	s.stats.first_alloc_ns += SECOND;
	shot = at(30, 10);
	take(p, &shot, &s, 1);
	assert_near("same frames again", 300, find_stack(p, 2)->growth_bytes);
	shot = at(40, 10);
	take(p, &shot, &s, 1);
	assert_near("unchanged", 0, find_stack(p, 2)->growth_bytes);
	profile_free(p);
}

static void a_stack_that_is_gone_is_forgotten(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s[3] = {fake(2, 1), fake(3, 2), fake(4, 3)};
	struct profile_snapshot shot = at(10, 10);
	size_t count;

	take(p, &shot, s, 3);
	shot = at(20, 10);
	take(p, &shot, s + 1, 2);
	profile_sorted(p, PROFILE_BY_LIVE, &count);
	assert_int_equal(count, 2);
	assert_near("still found", 0, find_stack(p, 4)->growth_bytes);
	shot = at(30, 10);
	take(p, &shot, s, 3);
	assert_near("back again", 1, find_stack(p, 2)->growth_bytes);
	profile_free(p);
}

static void a_stack_is_taken_once_per_snapshot(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 1000);
	struct profile_snapshot shot = at(10, 10);

	assert_int_equal(profile_begin(p, &shot), 0);
	assert_int_equal(profile_add(p, 2, &s.frames, &s.stats), 0);
	assert_int_equal(profile_add(p, 2, &s.frames, &s.stats), -EEXIST);
	assert_int_equal(profile_end(p), 0);
	profile_free(p);
}

static void sorts_by_growth_or_by_size_without_empty_stacks(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s[4] = {fake(2, 5000), fake(3, 100), fake(4, 0),
				  fake(5, 200)};
	struct profile_snapshot shot = at(10, 10);
	const struct profile_stack *const *list;
	size_t count;

	take(p, &shot, s, 4);
	set_live(&s[1], 900);
	set_live(&s[0], 4000);
	shot = at(20, 10);
	take(p, &shot, s, 4);
	list = profile_sorted(p, PROFILE_BY_GROWTH, &count);
	assert_int_equal(count, 3);
	assert_int_equal(list[0]->id, 3);
	assert_int_equal(list[1]->id, 5);
	assert_int_equal(list[2]->id, 2);
	list = profile_sorted(p, PROFILE_BY_LIVE, &count);
	assert_int_equal(list[0]->id, 2);
	assert_int_equal(list[1]->id, 3);
	assert_int_equal(list[2]->id, 5);
	profile_free(p);
}

static void totals_are_narrower_than_their_parts(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s[2] = {fake(2, 655360), fake(3, 655360)};
	struct profile_snapshot shot = at(10, 10);
	struct profile_totals t;
	double part;

	shot.sampling.interval_bytes = 65536;
	shot.sampling.variance_shift = 8;
	s[0].stats.live_bytes_variance = 10 * 65536;
	s[1].stats.live_bytes_variance = 10 * 65536;
	take(p, &shot, s, 2);
	profile_totals(p, &t);
	part = find_stack(p, 2)->live_bytes.high /
	       find_stack(p, 2)->live_bytes.value;
	assert_int_equal(t.stacks, 2);
	assert_near("live", 1310720, t.live_bytes.value);
	/* Garwood: 18.39 for 10, 30.89 for 20. */
	assert_true(fabs(part - 1.839) < 0.001);
	assert_true(fabs(t.live_bytes.high / t.live_bytes.value - 1.544) <
		    0.001);
	assert_near("allocated", 1310720 + 1000, t.alloc_bytes);
	profile_free(p);
}

/* Cohorts: births in 0..10, 10..20, 20..30, 30.. s after attach. */
static const struct cohort_layout four_cohorts = {
	.count = 4,
	.start_ns = {0, ATTACHED + 10 * SECOND, ATTACHED + 20 * SECOND,
		     ATTACHED + 30 * SECOND},
	.slot = {3, 1, 0, 2},
};

static struct fake_stack of_all_ages(void)
{
	struct fake_stack s = fake(2, 1000);

	s.stats.first_alloc_ns = ATTACHED;
	s.stats.last_alloc_ns = ATTACHED + 40 * SECOND;
	s.stats.cohort_bytes[3] = 100;
	s.stats.cohort_bytes[1] = 200;
	s.stats.cohort_bytes[0] = 300;
	s.stats.cohort_bytes[2] = 400;
	for (int i = 0; i < 4; i++)
		s.stats.cohort_objects_q8[i] =
			256 * s.stats.cohort_bytes[i] / 100;
	return s;
}

static void ages_come_from_the_middle_of_cohorts(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = of_all_ages();
	struct profile_snapshot shot = at(40, 0);

	shot.cohorts = &four_cohorts;
	take(p, &shot, &s, 1);
	assert_near("mean age", 0.1 * 35 + 0.2 * 25 + 0.3 * 15 + 0.4 * 5,
		    find_stack(p, 2)->mean_age_seconds);
	assert_near("oldest", 40, find_stack(p, 2)->oldest_seconds);
	profile_free(p);
}

static void ages_are_narrowed_by_the_first_and_last_allocation(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 1000);
	struct profile_snapshot shot = at(40, 0);

	take(p, &shot, &s, 1); /* one cohort; allocated from 1 s to 5 s */
	assert_near("mean age", 37, find_stack(p, 2)->mean_age_seconds);
	assert_near("oldest", 39, find_stack(p, 2)->oldest_seconds);
	profile_free(p);
}

static void older_counts_only_cohorts_that_are_old_as_a_whole(void **state)
{
	static const struct {
		double older, bytes;
	} cases[] = {{0, 1000},	  {1, 600},  {10, 600},
		     {10.1, 300}, {20, 300}, {30, 100}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct profile *p = profile_new();
		struct fake_stack s = of_all_ages();
		struct profile_snapshot shot = at(40, 0);

		shot.cohorts = &four_cohorts;
		shot.older_seconds = cases[i].older;
		take(p, &shot, &s, 1);
		assert_near("live", cases[i].bytes,
			    find_stack(p, 2)->live_bytes.value);
		assert_int_equal(find_stack(p, 2)->samples,
				 cases[i].bytes / 100);
		profile_free(p);
	}
}

static void nothing_old_enough_leaves_the_stack_out(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = of_all_ages();
	struct profile_snapshot shot = at(40, 0);
	size_t count;

	shot.cohorts = &four_cohorts;
	shot.older_seconds = 41;
	take(p, &shot, &s, 1);
	profile_sorted(p, PROFILE_BY_GROWTH, &count);
	assert_int_equal(count, 0);
	profile_free(p);
}

/* Counters are read while the target runs: a free may be in, its allocation
 * not yet. */
static void torn_counters_never_give_negative_figures(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 0);
	struct profile_snapshot shot = at(10, 0);
	struct profile_totals t;
	size_t count;

	s.stats.freed_bytes = s.stats.alloc_bytes + 100;
	s.stats.freed_samples = s.stats.alloc_samples + 1;
	s.stats.freed_objects_q8 = s.stats.alloc_objects_q8 + 256;
	s.stats.cohort_bytes[0] = -100;
	s.stats.cohort_objects_q8[0] = -256;
	take(p, &shot, &s, 1);
	profile_sorted(p, PROFILE_BY_LIVE, &count);
	assert_int_equal(count, 0);
	profile_totals(p, &t);
	assert_near("live", 0, t.live_bytes.value);
	assert_near("objects", 0, t.live_objects.value);
	profile_free(p);
}

static void ten_thousand_stacks_are_told_apart(void **state)
{
	struct profile *p = profile_new();
	struct profile_snapshot shot = at(10, 10);
	const struct profile_stack *const *list;
	size_t count;

	for (uint64_t round = 1; round <= 3; round++) {
		shot = at(10 * round, 10);
		assert_int_equal(profile_begin(p, &shot), 0);
		for (uint32_t i = 0; i < 10000; i++) {
			struct fake_stack s = fake(i * 7919, (i + 1) * round);

			assert_int_equal(
				profile_add(p, s.id, &s.frames, &s.stats), 0);
		}
		assert_int_equal(profile_end(p), 0);
	}
	list = profile_sorted(p, PROFILE_BY_GROWTH, &count);
	assert_int_equal(count, 10000);
	for (uint32_t i = 0; i < 10000; i++) {
		assert_int_equal(list[i]->id, (9999 - i) * 7919);
		assert_near("growth", 10000 - i, list[i]->growth_bytes);
	}
	profile_free(p);
}

static void refuses_a_malformed_snapshot(void **state)
{
	struct profile *p = profile_new();
	struct cohort_layout bad = {.count = COHORTS + 1};
	struct profile_snapshot shot = at(10, 10);

	shot.cohorts = &bad;
	assert_int_equal(profile_begin(p, &shot), -EINVAL);
	shot = at(10, 10);
	shot.now_ns = ATTACHED - 1;
	assert_int_equal(profile_begin(p, &shot), -EINVAL);
	profile_free(p);
}

static void an_overlong_depth_is_cut(void **state)
{
	struct profile *p = profile_new();
	struct fake_stack s = fake(2, 1000);
	struct profile_snapshot shot = at(10, 10);

	s.frames.depth = 100000;
	take(p, &shot, &s, 1);
	assert_int_equal(find_stack(p, 2)->depth, STACK_FRAMES_MAX);
	profile_free(p);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(exact_counts_come_out_as_they_are),
		T(the_first_snapshot_grows_from_nothing_at_attach),
		T(growth_is_the_difference_over_the_window),
		T(a_window_of_zero_reaches_back_to_attach),
		T(a_long_window_is_thinned_without_bending_the_slope),
		T(a_stack_seen_later_has_grown_from_nothing),
		T(a_recycled_id_starts_anew),
		T(a_stack_that_is_gone_is_forgotten),
		T(a_stack_is_taken_once_per_snapshot),
		T(sorts_by_growth_or_by_size_without_empty_stacks),
		T(totals_are_narrower_than_their_parts),
		T(ages_come_from_the_middle_of_cohorts),
		T(ages_are_narrowed_by_the_first_and_last_allocation),
		T(older_counts_only_cohorts_that_are_old_as_a_whole),
		T(nothing_old_enough_leaves_the_stack_out),
		T(torn_counters_never_give_negative_figures),
		T(ten_thousand_stacks_are_told_apart),
		T(refuses_a_malformed_snapshot),
		T(an_overlong_depth_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
