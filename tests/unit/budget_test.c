/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The promise of --max-overhead on simulated targets: whatever they do, what
 * is spent stays within the budget and what it began with.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "budget/budget.h"
#include "budget/progress.h"

#define SECOND 1000000000ULL
#define LOOK   10000000ULL /* between two looks, ns */

/* ---- Credit ---------------------------------------------------------------
 */

static void credit_accrues_up_to_its_highest(void **state)
{
	struct budget b;

	(void)state;
	budget_start(&b, 0.02, 0, 0.4e9, SECOND);
	budget_charge(&b, 11 * SECOND, 0);
	assert_true(fabs(b.credit_ns - 0.2e9) < 1);
	budget_charge(&b, 1000 * SECOND, 0);
	assert_true(fabs(b.credit_ns - 0.4e9) < 1);
}

static void credit_to_begin_with_may_exceed_the_highest(void **state)
{
	struct budget b;

	(void)state;
	budget_start(&b, 0.02, 1e9, 0.4e9, SECOND);
	budget_charge(&b, 2 * SECOND, 0.1e9);
	assert_true(fabs(b.credit_ns - 0.9e9) < 1);
}

static void time_that_goes_backwards_is_no_credit(void **state)
{
	struct budget b;

	(void)state;
	budget_start(&b, 0.5, 0, 1e9, 5 * SECOND);
	budget_charge(&b, 4 * SECOND, 0);
	assert_true(b.credit_ns == 0);
	assert_int_equal(b.charged_ns, 5 * SECOND);
}

/* ---- Windows ---------------------------------------------------------------
 */

/* A target that costs `rates` while it is observed, for `seconds`; returns what
 * was spent, ns. */
static double simulate(double share, const struct window_rates *rates,
		       double seconds, uint64_t *windows, double *open_ns)
{
	double spent = 0, last = 0;
	uint64_t now = SECOND, ends = 0, frees_end = 0, closed = now;
	struct window_plan plan;
	struct budget b;

	*windows = 0;
	*open_ns = 0;
	budget_start(&b, share, 0.1e9, 0.4e9, now);
	plan = window_plan(&b, rates, last, 0.5);
	while (now < SECOND + (uint64_t)(seconds * 1e9)) {
		double cost = 0;

		if (now < ends)
			cost = rates->births * (double)LOOK;
		else if (now < frees_end)
			cost = rates->frees * (double)LOOK;
		if (cost > 0)
			*open_ns += (double)LOOK;
		now += LOOK;
		spent += cost;
		budget_charge(&b, now, cost);
		if (now < frees_end)
			continue;
		if (frees_end) {
			last = (double)(plan.births_ns + plan.frees_ns);
			plan = window_plan(&b, rates, last,
					   (double)rand() / RAND_MAX);
			closed = now;
			frees_end = 0;
		}
		if (b.credit_ns >= plan.credit_ns &&
		    now - closed >= plan.pause_ns) {
			ends = now + plan.births_ns;
			frees_end = ends + plan.frees_ns;
			++*windows;
		}
	}
	return spent;
}

/* Rates from a hundredth of a processor to thirty of them. */
static void what_is_spent_stays_within_the_budget(void **state)
{
	static const double shares[] = {0.005, 0.02, 0.1};
	static const double costs[] = {0.03, 0.1, 0.5, 0.95, 4, 30};

	(void)state;
	srand(1);
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 6; k++) {
			struct window_rates rates = {.births = costs[k],
						     .frees = costs[k] / 2,
						     .progress = 1};
			double seconds = 300, open, spent, promised;
			uint64_t windows;

			spent = simulate(shares[i], &rates, seconds, &windows,
					 &open);
			/* A look comes late by one step at each edge. */
			promised = shares[i] * seconds * 1e9 + 0.1e9 +
				   2 * costs[k] * (double)LOOK;
			if (spent > promised || !windows)
				fail_msg("share %g, cost %g: expected windows "
					 "and at most %g ms, got %llu and %g "
					 "ms",
					 shares[i], costs[k], promised / 1e6,
					 (unsigned long long)windows,
					 spent / 1e6);
		}
	}
}

/* The slowest hundredth of its requests must not come to lie in windows. */
static void a_target_that_is_slowed_down_is_left_alone_99_percent(void **state)
{
	struct window_rates rates = {
		.births = 0.45, .frees = 0.25, .progress = 0.55};
	double open, seconds = 600;
	uint64_t windows;

	(void)state;
	srand(2);
	simulate(0.02, &rates, seconds, &windows, &open);
	if (open > 0.01 * seconds * 1e9 || windows < 50)
		fail_msg("expected at least 50 windows in 1 %% of the time, "
			 "got %llu in %.2f %%",
			 (unsigned long long)windows,
			 100 * open / seconds / 1e9);
}

static void a_window_costs_what_it_was_given(void **state)
{
	struct window_rates rates = {
		.births = 0.06, .frees = 0.03, .progress = 0.9};
	struct window_plan plan;
	struct budget b;
	double cost;

	(void)state;
	budget_start(&b, 0.02, 0, 0.4e9, 0);
	plan = window_plan(&b, &rates, 0, 0.5);
	cost = (double)plan.births_ns * rates.births +
	       (double)plan.frees_ns * rates.frees;
	assert_true(fabs(cost / plan.credit_ns - 1) < 0.01);
	assert_int_equal(plan.pause_ns, 0);
}

/* One that lasted half a second on a machine without a CPU to spare. */
static void after_a_long_window_there_is_no_long_silence(void **state)
{
	struct window_rates rates = {
		.births = 0.3, .frees = 0.15, .progress = 0.6};
	struct window_plan plan;
	struct budget b;

	(void)state;
	budget_start(&b, 0.02, 0, 0.4e9, 0);
	plan = window_plan(&b, &rates, 0.5e9, 0.5);
	if (plan.pause_ns > 10000000000ULL)
		fail_msg("expected at most 10 s, got %llu ns",
			 (unsigned long long)plan.pause_ns);
}

/* Ten that cost the same: a tenth of a window is the dearest one's. */
static void the_budget_of_all_shortens_common_windows(void **state)
{
	struct window_rates rates = {
		.births = 0.06, .frees = 0.03, .progress = 0.9};
	struct window_plan alone, together;
	struct budget own, all;

	(void)state;
	budget_start(&own, 0.02, 0, 0.4e9, 0);
	budget_start(&all, 0.02, 0, 0.4e9, 0);
	alone = together = window_plan(&own, &rates, 0, 0.5);
	window_plan_all(&alone, &all, 1);
	assert_int_equal(alone.births_ns, together.births_ns);
	window_plan_all(&together, &all, 0.1);
	assert_true(10 * together.credit_ns <= 0.02 * 5e9 * 1.001);
	assert_true(fabs((double)together.births_ns / together.credit_ns -
			 (double)alone.births_ns / alone.credit_ns) < 1e-3);
	/* Plenty for all: as planned for one. */
	together = alone;
	budget_start(&all, 1, 0, 4e9, 0);
	window_plan_all(&together, &all, 0.1);
	assert_int_equal(alone.births_ns, together.births_ns);
}

/* What was seen, weighted, is what was done; also when what a window has seen
 * is only roughly known (within 20 %: 1 / x is skewed). */
static void what_windows_stand_for_adds_up_to_the_truth(void **state)
{
	struct coverage c = {0};
	double estimate = 0, truth = 0;

	(void)state;
	srand(3);
	for (int i = 0; i < 2000; i++) {
		double seen = 1 + rand() % 50, unseen = 1000 + rand() % 9000;
		double roughly = seen * (0.3 + 1.4 * rand() / RAND_MAX);

		truth += seen + unseen;
		estimate += seen / coverage_add(&c, unseen, roughly);
	}
	if (fabs(estimate / truth - 1) > 0.2)
		fail_msg("expected %g, got %g", truth, estimate);
	c = (struct coverage){0};
	assert_true(coverage_add(&c, 0, 0) == 1);
	assert_true(coverage_add(&c, 1e12, 0) > 0);
}

/* In a run of few windows: lengths and pauses are random, and the second of
 * each pair comes soon after the first. */
static double estimate_of_few(int windows)
{
	struct coverage c = {0};
	double estimate = 0, truth = 0;

	for (int i = 0; i < windows; i++) {
		double random = (double)rand() / RAND_MAX;
		double unseen = i % 2 ? (double)window_lag_ns(random)
				      : 5e9 + 10e9 * random;
		double seen = 0.1e9 * (0.5 + (double)rand() / RAND_MAX);

		truth += seen + unseen;
		estimate += seen / coverage_add(&c, unseen, seen);
	}
	return estimate / truth;
}

static void few_windows_are_right_on_average(void **state)
{
	const int runs = 2000;

	(void)state;
	srand(4);
	for (int windows = 1; windows <= 6; windows++) {
		double sum = 0;

		for (int i = 0; i < runs; i++)
			sum += estimate_of_few(windows);
		if (fabs(sum / runs - 1) > 0.03)
			fail_msg("%d windows: expected 1, got %g on average",
				 windows, sum / runs);
	}
}

/* ---- Progress ---------------------------------------------------------------
 */

/* A program that takes `own` ns between two frees, while a hit costs `factor`
 * times what was calibrated. */
static struct progress_sample work(double frees, double own, double factor,
				   bool births)
{
	const double hit = 650;
	double alloc = births ? hit : 0;

	return (struct progress_sample){
		.frees = frees,
		.alloc_ns = frees * alloc,
		.free_ns = frees * hit,
		.cpu_ns = frees * (own + factor * (alloc + hit)),
		.wall_ns = 1e9,
	};
}

static void what_a_hit_costs_is_found_in_place(void **state)
{
	(void)state;
	for (double factor = 0.8; factor < 3; factor += 0.4) {
		for (double own = 300; own < 1e5; own *= 10) {
			struct progress_comparison c = {0};
			struct progress_sample both, frees;
			double found, error;

			both = work(5e6, own, factor, true);
			frees = work(9e6, own, factor, false);
			progress_compare(&c, &both, &frees);
			found = progress_factor(&c);
			error = progress_ns(&both, found) / (5e6 * own + 1e6) -
				1;
			if (fabs(found / factor - 1) > 0.01 ||
			    fabs(error) > 0.02)
				fail_msg("factor %g, own %g ns: found %g, "
					 "progress wrong by %g",
					 factor, own, found, error);
		}
	}
}

static void what_was_seen_goes_by_frees(void **state)
{
	struct progress_comparison c = {0};
	struct progress_sample both = work(5e6, 4000, 1.3, true);
	struct progress_sample frees = work(9e6, 4000, 1.3, false);
	struct progress_sample noisy = work(10000, 9000, 1.3, true);
	double seen;

	(void)state;
	noisy.wall_ns = both.wall_ns = frees.wall_ns = 0;
	progress_compare(&c, &both, &frees);
	seen = progress_seen(&c, &noisy);
	assert_true(fabs(seen / (10000 * 4000.0) - 1) < 0.02);
	/* Where nothing is freed, by its CPU time. */
	c = (struct progress_comparison){0};
	noisy.frees = 0;
	assert_true(fabs(progress_seen(&c, &noisy) / progress_ns(&noisy, 1.2) -
			 1) < 1e-9);
}

/* What probes on allocations seem to cost is wrong by up to a quarter: by more
 * than the 50 ns that the program has for itself. */
static void what_is_lost_in_the_cost_of_probes_is_not_nothing(void **state)
{
	(void)state;
	for (double off = -0.05; off < 0.25; off += 0.05) {
		struct progress_comparison c = {0};
		struct progress_sample both = work(5e6, 50, 1, true);
		struct progress_sample frees = work(9e6, 50, 1, false);
		double seen;

		both.cpu_ns += 5e6 * 650 * off;
		progress_compare(&c, &both, &frees);
		seen = progress_seen(&c, &both) / 5e6;
		if (seen < 50 / 2.5 || seen > 50 * 2.5)
			fail_msg("%g off: expected some 50 ns, got %g", off,
				 seen);
	}
}

/* Frees a second on two CPUs, and the CPU time that they take. */
static struct progress_sample paced(double rate, bool births)
{
	double each = births ? 2000 : 750;
	double done = fmin(rate, 2e9 / each);

	return (struct progress_sample){
		.frees = done, .cpu_ns = done * each, .wall_ns = 1e9};
}

static void the_pace_is_that_of_frees_with_time_to_spare(void **state)
{
	static const struct {
		double rate, pace;
		bool spare;
	} cases[] = {
		{0.5e6, 1, true}, {1.6e6, 1 / 1.6, true}, {8e6, 0.375, false}};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct progress_comparison c = {0};
		struct progress_sample both = paced(cases[i].rate, true);
		struct progress_sample frees = paced(cases[i].rate, false);

		progress_compare(&c, &both, &frees);
		assert_true(fabs(progress_pace(&c) - cases[i].pace) < 0.01);
		assert_int_equal(progress_has_spare(&c), cases[i].spare);
	}
}

static void too_little_seen_leaves_the_usual(void **state)
{
	struct progress_comparison c = {0};
	struct progress_sample both = work(100, 1000, 2, true);
	struct progress_sample frees = work(100, 1000, 2, false);

	(void)state;
	assert_true(progress_factor(&c) == 1.2);
	progress_compare(&c, &both, &frees);
	assert_true(progress_factor(&c) == 1.2);
	assert_true(progress_error(&c) > 0.5);
}

/* A twentieth of what probes cost is most of what a program has for itself
 * that does nothing but allocate, and nothing to one with other work. */
static void how_far_off_progress_may_be_is_said(void **state)
{
	static const struct {
		double own;
		int windows;
		double least, most;
	} cases[] = {
		{50, 1, 0.6, 1},      {50, 20, 0.4, 1},
		{1000, 1, 0.05, 0.2}, {1000, 20, 0.02, 0.07},
		{1e5, 1, 0, 0.002},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct progress_sample both = work(8e3, cases[i].own, 1, true);
		struct progress_sample frees =
			work(2e4, cases[i].own, 1, false);
		struct progress_comparison c = {0};
		double error;

		for (int k = 0; k < cases[i].windows; k++)
			progress_compare(&c, &both, &frees);
		error = progress_error(&c);
		if (error < cases[i].least || error > cases[i].most)
			fail_msg("%g ns, %d windows: expected %g to %g, got %g",
				 cases[i].own, cases[i].windows, cases[i].least,
				 cases[i].most, error);
	}
}

static void a_program_that_is_all_probes_still_moves(void **state)
{
	struct progress_sample s = {
		.cpu_ns = 1e9, .alloc_ns = 2e9, .wall_ns = 1e9};

	(void)state;
	assert_true(progress_ns(&s, 1) > 0);
	s = (struct progress_sample){.wall_ns = 1e9};
	assert_true(progress_ns(&s, 1) > 0); /* idle */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credit_accrues_up_to_its_highest),
		cmocka_unit_test(credit_to_begin_with_may_exceed_the_highest),
		cmocka_unit_test(time_that_goes_backwards_is_no_credit),
		cmocka_unit_test(what_is_spent_stays_within_the_budget),
		cmocka_unit_test(
			a_target_that_is_slowed_down_is_left_alone_99_percent),
		cmocka_unit_test(a_window_costs_what_it_was_given),
		cmocka_unit_test(after_a_long_window_there_is_no_long_silence),
		cmocka_unit_test(the_budget_of_all_shortens_common_windows),
		cmocka_unit_test(what_windows_stand_for_adds_up_to_the_truth),
		cmocka_unit_test(few_windows_are_right_on_average),
		cmocka_unit_test(what_a_hit_costs_is_found_in_place),
		cmocka_unit_test(what_was_seen_goes_by_frees),
		cmocka_unit_test(
			what_is_lost_in_the_cost_of_probes_is_not_nothing),
		cmocka_unit_test(the_pace_is_that_of_frees_with_time_to_spare),
		cmocka_unit_test(too_little_seen_leaves_the_usual),
		cmocka_unit_test(how_far_off_progress_may_be_is_said),
		cmocka_unit_test(a_program_that_is_all_probes_still_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
