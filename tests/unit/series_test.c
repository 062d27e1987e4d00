/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "find_stack.h"
#include "profile/profile.h"
#include "profile/series.h"

struct recorder {
	struct series_times times;
	struct series series;
	struct series_point last;
};

static void record(struct recorder *r, double seconds, double live,
		   double allocated)
{
	size_t crowded = series_crowded(&r->times, seconds);
	struct series_point now = {
		.live = live,
		.variance = 2 * live,
		.allocated = allocated,
		.freed = allocated - live,
	};

	series_add(&r->series, r->times.count, crowded, &now, &r->last);
	series_times_add(&r->times, crowded, seconds);
	r->last = now;
}

static void all_is_kept_while_there_is_room(void **state)
{
	struct series_point p[SERIES_POINTS];
	struct recorder r = {0};

	for (int i = 0; i < SERIES_POINTS; i++)
		record(&r, i + 1, 10 * i, 100 * i);
	assert_int_equal(r.times.count, SERIES_POINTS);
	series_read(&r.series, &r.times, p);
	for (int i = 0; i < SERIES_POINTS; i++) {
		assert_float_equal(p[i].seconds, i + 1, 1e-3);
		assert_float_equal(p[i].live, 10 * i, 1e-3);
		assert_float_equal(p[i].low, 10 * i, 1e-3);
		assert_float_equal(p[i].high, 10 * i, 1e-3);
		assert_float_equal(p[i].variance, 20 * i, 1e-3);
		assert_float_equal(p[i].allocated, 100 * i, 1e-3);
		assert_float_equal(p[i].freed, 90 * i, 1e-3);
	}
}

static void a_snapshot_right_after_another_replaces_it(void **state)
{
	struct series_point p[SERIES_POINTS];
	struct recorder r = {0};

	record(&r, 1, 10, 10);
	record(&r, 2, 50, 60);
	record(&r, 2.05, 40, 70);
	assert_int_equal(r.times.count, 2);
	series_read(&r.series, &r.times, p);
	assert_float_equal(p[1].seconds, 2.05, 1e-3);
	assert_float_equal(p[1].live, 40, 1e-3);
	assert_float_equal(p[1].low, 40, 1e-3);
	assert_float_equal(p[1].high, 50, 1e-3);
	assert_float_equal(p[1].allocated, 70, 1e-3);
	assert_float_equal(p[1].freed, 30, 1e-3);
}

/* A day in steps of 5 s: nothing is lost of totals and extremes, the start and
 * the last minutes are still there, and gaps grow with age. */
static void a_day_fits(void **state)
{
	struct series_point p[SERIES_POINTS];
	struct recorder r = {0};
	double recent = 0, gap_before = INFINITY;

	for (int i = 1; i <= 17280; i++)
		record(&r, 5 * i, i == 9000 ? 1e6 : 1000 + i, 1000.0 * i);
	assert_int_equal(r.times.count, SERIES_POINTS);
	series_read(&r.series, &r.times, p);
	assert_float_equal(p[SERIES_POINTS - 1].seconds, 86400, 0.1);
	assert_float_equal(p[SERIES_POINTS - 1].allocated, 17280e3, 2000);
	for (int i = 0; i < SERIES_POINTS; i++)
		recent += p[i].seconds > 0.75 * 86400;
	if (recent < 0.35 * SERIES_POINTS || recent > 0.65 * SERIES_POINTS)
		fail_msg("%g of %d points are in the last quarter", recent,
			 SERIES_POINTS);
	for (int i = 8; i < SERIES_POINTS; i += 8) {
		double gap = p[i].seconds - p[i - 8].seconds;

		if (gap > 1.5 * gap_before)
			fail_msg("8 points before %g s span %g s, the 8 before "
				 "them %g s",
				 p[i].seconds, gap, gap_before);
		gap_before = gap;
	}
	for (int i = 1; i < SERIES_POINTS; i++) {
		double peak = p[i].high;

		assert_true(p[i].low <= p[i].live && p[i].live <= peak);
		if (p[i - 1].seconds < 45000 && p[i].seconds >= 45000)
			assert_float_equal(peak, 1e6, 1);
		else
			assert_true(peak < 20000);
	}
}

/* ---- The same through a profile ------------------------------------------ */

#define SECOND	 1000000000ULL
#define ATTACHED (500 * SECOND)

static const struct cohort_layout layout = {
	.count = 2,
	.start_ns = {0, ATTACHED + 4 * SECOND},
	.slot = {5, 2},
};

static void snapshot(struct profile *p, double seconds, uint64_t resident,
		     uint64_t first_live, uint64_t second_live)
{
	struct profile_snapshot s = {
		.now_ns = ATTACHED + (uint64_t)(seconds * 1e9),
		.attached_ns = ATTACHED,
		.older_seconds = 1,
		.cohorts = &layout,
		.sampling = {.interval_bytes = 1000, .variance_shift = 2},
		.resident_bytes = resident,
	};
	struct stack_stats st = {.alloc_samples = 3, .index_key = 1};
	struct stack_frames f = {.depth = 1, .frames = {1}};

	assert_int_equal(profile_begin(p, &s), 0);
	st.alloc_bytes = first_live + 7;
	st.freed_bytes = 7;
	st.live_bytes_variance = 10;
	st.cohort_bytes[5] = (int64_t)first_live - 1;
	st.cohort_bytes[2] = 1;
	st.last_alloc_ns = s.now_ns;
	assert_int_equal(profile_add(p, 2, &f, &st), 0);
	if (second_live) {
		st.index_key = 2;
		st.alloc_bytes = second_live;
		st.freed_bytes = 0;
		assert_int_equal(profile_add(p, 3, &f, &st), 0);
	}
	assert_int_equal(profile_end(p), 0);
}

static void histories_of_stacks_share_their_times(void **state)
{
	struct profile *p = profile_new();
	struct series_point points[SERIES_POINTS];
	struct series_cohort births[COHORTS];

	snapshot(p, 1, 0, 100, 0);
	snapshot(p, 2, 9000, 200, 0);
	snapshot(p, 6, 9500, 300, 50);
	assert_int_equal(profile_history(p, find_stack(p, 2), points), 3);
	assert_float_equal(points[1].seconds, 2, 1e-3);
	/* Of any age: only cohorts older than 1 s are in the live figures. */
	assert_float_equal(points[2].live, 300, 1e-3);
	assert_float_equal(points[2].allocated, 307, 1e-3);
	assert_float_equal(points[2].freed, 7, 1e-3);
	assert_float_equal(points[2].variance, 160, 1e-3);
	/* What came later had nothing live before. */
	assert_int_equal(profile_history(p, find_stack(p, 3), points), 3);
	assert_float_equal(points[1].live, 0, 0);
	assert_float_equal(points[2].live, 50, 1e-3);
	assert_int_equal(profile_total_history(p, points), 3);
	assert_float_equal(points[1].live, 200, 1e-3);
	assert_float_equal(points[2].live, 350, 1e-3);
	assert_int_equal(profile_resident_history(p, points), 3);
	assert_float_equal(points[2].live, 9500, 1e-3);
	assert_int_equal(profile_births(p, find_stack(p, 2), births), 2);
	assert_float_equal(births[0].from, 0, 0);
	assert_float_equal(births[0].to, 4, 1e-6);
	assert_float_equal(births[0].live, 299, 1e-3);
	assert_float_equal(births[1].to, 6, 1e-6);
	assert_float_equal(profile_sample_bytes(p), 1000, 0);
	assert_float_equal(profile_seconds(p), 6, 1e-9);
	profile_free(p);
}

/* Until another collection: cohorts merge meanwhile, and get coarser. */
static void what_a_collection_settled_stays_as_it_was(void **state)
{
	struct profile *p = profile_new();
	struct series_cohort births[COHORTS];
	const struct profile_stack *s;

	snapshot(p, 5, 0, 100, 0);
	s = find_stack(p, 2);
	assert_int_equal(profile_settled_births(p, s, births), 0);
	profile_settle(p, 0.5);
	snapshot(p, 6, 0, 200, 0);
	profile_settle(p, 0.5); /* soon after: the first may be incomplete */
	assert_int_equal(profile_settled_births(p, s, births), 2);
	assert_float_equal(births[0].live, 199, 1e-3);
	assert_float_equal(births[0].to, 4, 1e-6);
	snapshot(p, 60, 0, 300, 0);
	profile_settle(p, 0.5);
	profile_settled_births(p, s, births);
	assert_float_equal(births[0].live, 199, 1e-3);
	profile_settle(p, 50);
	profile_settled_births(p, s, births);
	assert_float_equal(births[0].live, 299, 1e-3);
	assert_float_equal(births[1].to, 60, 1e-6);
	profile_free(p);
}

static void resident_memory_may_not_be_known(void **state)
{
	struct profile *p = profile_new();
	struct series_point points[SERIES_POINTS];

	snapshot(p, 1, 0, 100, 0);
	assert_int_equal(profile_resident_history(p, points), 0);
	profile_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_kept_while_there_is_room),
		cmocka_unit_test(a_snapshot_right_after_another_replaces_it),
		cmocka_unit_test(a_day_fits),
		cmocka_unit_test(histories_of_stacks_share_their_times),
		cmocka_unit_test(what_a_collection_settled_stays_as_it_was),
		cmocka_unit_test(resident_memory_may_not_be_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
