/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Verdicts and growth estimates on simulated call paths of known truth. Seeds
 * are fixed, so a test gives the same result each time; bounds leave room for
 * about three standard errors of the share that is tested.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "simulated_site.h"
#include "verdict/growth.h"

#define RATE_16K (16384.0)
#define TRIALS	 300

/* Births per second, so that `samples` are taken in the time watched. */
static double births_for(double samples, double size, double seconds)
{
	double p = 1 - exp(-size / RATE_16K);

	return samples / p / seconds;
}

/* ---- Intervals
 * --------------------------------------------------------------- */

struct coverage {
	unsigned inside, above, below;
};

/* How often the interval holds the true rate, bytes per second, over the last
 * half of the time (what lives for a while fills up in the first). */
static struct coverage cover(const struct site *s, double truth)
{
	struct coverage c = {0};

	for (unsigned i = 0; i < TRIALS; i++) {
		struct watched w;
		struct growth g;
		size_t from = 0;

		watch_site(s, 77 + i, &w);
		while (w.points[from].seconds < s->seconds / 2)
			from++;
		growth_estimate(w.points + from, w.input.count - from,
				s->sample_bytes, &g);
		c.below += truth > g.high;
		c.above += truth < g.low;
		c.inside += truth >= g.low && truth <= g.high;
	}
	return c;
}

/* 95 %, with 2.5 % on either side; wider is no fault. */
static void assert_covers(const char *what, const struct site *s, double truth)
{
	struct coverage c = cover(s, truth);

	if (c.inside < 0.92 * TRIALS || c.above > 0.06 * TRIALS ||
	    c.below > 0.06 * TRIALS)
		fail_msg("%s: the truth is inside in %u of %d, interval above "
			 "it in %u, below in %u",
			 what, c.inside, TRIALS, c.above, c.below);
}

static void intervals_of_a_pure_leak_hold_the_truth(void **state)
{
	static const double samples[] = {16, 60, 200, 2000};

	for (int i = 0; i < 4; i++) {
		struct site s = {
			.size = 256,
			.peak = births_for(samples[i], 256, 120),
			.death = never,
			.sample_bytes = RATE_16K,
			.seconds = 120,
		};
		char name[32];

		snprintf(name, sizeof(name), "%g samples", samples[i]);
		assert_covers(name, &s, s.peak * s.size);
	}
}

static void intervals_of_a_leak_beside_churn_hold_the_truth(void **state)
{
	static const double lifetimes[] = {0.5, 2, 8};

	for (int i = 0; i < 3; i++) {
		struct site s = {
			.size = 256,
			.peak = 5000,
			.death = some_leak,
			.leaked_share = 0.02,
			.lifetime = lifetimes[i],
			.sample_bytes = RATE_16K,
			.seconds = 120,
		};
		char name[32];

		snprintf(name, sizeof(name), "life of %g s", lifetimes[i]);
		assert_covers(name, &s, s.peak * s.size * s.leaked_share);
	}
}

static void intervals_of_churn_alone_hold_zero(void **state)
{
	static const double lifetimes[] = {0.5, 2, 8};

	for (int i = 0; i < 3; i++) {
		struct site s = {
			.size = 3000,
			.peak = 200,
			.death = some_leak,
			.lifetime = lifetimes[i],
			.seconds = 120,
		};
		char name[32];

		snprintf(name, sizeof(name), "life of %g s", lifetimes[i]);
		assert_covers(name, &s, 0);
	}
}

static void intervals_of_bursts_hold_the_truth(void **state)
{
	struct site s = {
		.size = 256,
		.peak = 5000,
		.births = in_bursts,
		.death = never,
		.sample_bytes = RATE_16K,
		.seconds = 400,
	};

	assert_covers("bursts", &s, s.peak * s.size / 4);
}

/* The series keeps as few points of a day as of two minutes. */
static void intervals_hold_the_truth_after_a_day(void **state)
{
	struct site s = {
		.size = 256,
		.peak = births_for(1000, 256, 86400),
		.death = never,
		.sample_bytes = RATE_16K,
		.seconds = 86400,
	};

	assert_covers("a day", &s, s.peak * s.size);
}

static void a_straight_line_is_measured_exactly(void **state)
{
	struct series_point p[10];
	struct growth g;

	for (int i = 0; i < 10; i++)
		p[i] = (struct series_point){
			.seconds = 3 * i,
			.live = 100 + 42.0 * 3 * i,
		};
	growth_estimate(p, 10, 0, &g);
	assert_float_equal(g.rate, 42, 1e-9);
	assert_float_equal(g.low, 42, 1e-9);
	assert_float_equal(g.high, 42, 1e-9);
	assert_true(isinf(g.z));
}

static void too_few_points_say_nothing(void **state)
{
	struct series_point p[3] = {{.seconds = 1},
				    {.seconds = 2, .live = 9},
				    {.seconds = 3, .live = 20}};
	struct growth g;

	growth_estimate(p, 3, 0, &g);
	assert_true(g.rate == 0 && g.high == 0 && g.seconds == 0);
	growth_estimate(p, 0, 0, &g);
	assert_true(g.rate == 0);
}

/* Garwood: when nothing came in two minutes, up to 3.69 samples may have been
 * due. */
static void no_sample_does_not_mean_no_growth(void **state)
{
	struct series_point p[12];
	struct growth g;

	for (int i = 0; i < 12; i++)
		p[i] = (struct series_point){.seconds = 10 * i + 10};
	growth_estimate(p, 12, RATE_16K, &g);
	assert_float_equal(g.high, 3.6889 * RATE_16K / 110, 1);
	assert_float_equal(g.low, 0, 1e-9);
}

static void one_jump_does_not_move_the_median(void **state)
{
	struct series_point p[20];

	for (int i = 0; i < 20; i++)
		p[i] = (struct series_point){
			.seconds = i,
			.live = i + (i >= 15 ? 1e6 : 0),
		};
	assert_float_equal(growth_median(p, 20), 1, 1e-6);
}

/* Abramowitz and Stegun, tables 26.10 and 26.1. */
static void quantiles_are_those_of_the_tables(void **state)
{
	assert_float_equal(student_975(1), 12.706, 0.001);
	assert_float_equal(student_975(2), 4.303, 0.001);
	assert_float_equal(student_975(5), 2.571, 0.03);
	assert_float_equal(student_975(10), 2.228, 0.002);
	assert_float_equal(student_975(40), 2.021, 0.001);
	assert_float_equal(normal_tail(1.959964), 0.025, 1e-6);
	assert_float_equal(student_to_normal(2.228, 10), 1.96, 0.01);
	assert_float_equal(student_to_normal(-2.228, 10), -1.96, 0.01);
}

/* ---- Verdicts
 * ------------------------------------------------------------------ */

struct tally {
	unsigned kinds[VERDICT_KINDS];
	double least_confidence;
};

static struct tally judge(const struct site *s, size_t tested, unsigned trials)
{
	struct tally t = {.least_confidence = 1};

	for (unsigned i = 0; i < trials; i++) {
		struct watched w;
		struct verdict v;

		watch_site(s, 3000 + i, &w);
		w.input.tested = tested;
		verdict_judge(&w.input, &v);
		t.kinds[v.kind]++;
		if (v.kind == VERDICT_LEAK)
			t.least_confidence =
				fmin(t.least_confidence, v.confidence);
	}
	return t;
}

static void fail_tally(const char *what, const struct tally *t,
		       const char *expected)
{
	fail_msg("%s: expected %s; seen %u leaks, %u plateaus, %u start-ups, "
		 "%u sawteeth, %u unclear",
		 what, expected, t->kinds[VERDICT_LEAK],
		 t->kinds[VERDICT_PLATEAU], t->kinds[VERDICT_STARTUP],
		 t->kinds[VERDICT_SAWTOOTH], t->kinds[VERDICT_UNKNOWN]);
}

static void assert_mostly(const char *what, const struct site *s,
			  enum verdict_kind kind, double share, size_t tested)
{
	struct tally t = judge(s, tested, TRIALS);

	if (t.kinds[kind] < share * TRIALS)
		fail_tally(what, &t, verdict_name(kind));
}

static struct site leaking(double samples, double seconds)
{
	return (struct site){
		.size = 256,
		.peak = births_for(samples, 256, seconds),
		.death = never,
		.sample_bytes = RATE_16K,
		.seconds = seconds,
	};
}

static void leaks_are_found(void **state)
{
	struct site few = leaking(30, 120), more = leaking(100, 120);
	struct site day = leaking(500, 86400);

	assert_mostly("30 samples among 6 stacks", &few, VERDICT_LEAK, 0.94, 6);
	assert_mostly("100 samples among 1000", &more, VERDICT_LEAK, 0.96,
		      1000);
	assert_mostly("a day", &day, VERDICT_LEAK, 0.95, 100);
}

static void leaks_beside_churn_are_found(void **state)
{
	struct site s = {
		.size = 256,
		.peak = 5000,
		.death = some_leak,
		.leaked_share = 0.03,
		.lifetime = 0.5,
		.sample_bytes = RATE_16K,
		.seconds = 120,
	};

	assert_mostly("3 % leak", &s, VERDICT_LEAK, 0.93, 50);
}

/* The others live so long, and there are so many, that the growth drowns. */
static void leaks_are_found_by_what_survives(void **state)
{
	struct site s = {
		.size = 256,
		.peak = 5000,
		.death = some_leak,
		.leaked_share = 0.03,
		.lifetime = 5,
		.sample_bytes = RATE_16K,
		.seconds = 120,
	};
	double rate = 60 * s.peak * s.size * s.leaked_share;
	unsigned by_survivors = 0, holds = 0;

	assert_mostly("3 % leak among lives of 5 s", &s, VERDICT_LEAK, 0.95,
		      50);
	for (unsigned i = 0; i < TRIALS; i++) {
		struct watched w;
		struct verdict v;

		watch_site(&s, 9000 + i, &w);
		w.input.tested = 500;
		verdict_judge(&w.input, &v);
		by_survivors += v.by_survivors;
		holds += v.by_survivors && v.growth.low <= rate &&
			 rate <= v.growth.high;
	}
	if (by_survivors < TRIALS / 2 || holds < 0.9 * by_survivors)
		fail_msg("%u of %d by survivors, the interval holds the rate "
			 "in %u",
			 by_survivors, TRIALS, holds);
}

static void leaks_in_bursts_and_late_ones_are_found(void **state)
{
	struct site bursts = leaking(1000, 120), late_one = leaking(400, 120);

	bursts.births = in_bursts;
	late_one.births = late;
	late_one.start = 70;
	assert_mostly("bursts", &bursts, VERDICT_LEAK, 0.95, 100);
	assert_mostly("from the middle on", &late_one, VERDICT_LEAK, 0.95, 100);
}

static void more_evidence_makes_surer(void **state)
{
	struct site few = leaking(30, 120), many = leaking(1000, 120);
	struct tally a = judge(&few, 6, 50), b = judge(&many, 6, 50);

	assert_true(a.kinds[VERDICT_LEAK] && b.kinds[VERDICT_LEAK]);
	if (!(b.least_confidence > a.least_confidence))
		fail_msg("30 samples: at least %g sure, 1000: %g",
			 a.least_confidence, b.least_confidence);
	assert_true(b.least_confidence < 1);
}

/* The same load in all ways to be healthy. */
static struct site healthy(double per_second, double seconds)
{
	return (struct site){
		.size = 256,
		.peak = births_for(per_second, 256, 1),
		.sample_bytes = RATE_16K,
		.seconds = seconds,
	};
}

static void each_kind_has_its_name(void **state)
{
	static const double times[] = {60, 120, 900};

	for (int i = 0; i < 3; i++) {
		double t = times[i];
		struct site s = healthy(6000 / t, t);

		s.lifetime = t / 6;
		s.death = evicted;
		assert_mostly("a queue", &s, VERDICT_PLATEAU, 0.95, 20);
		s.death = replaced;
		assert_mostly("a cache", &s, VERDICT_PLATEAU, 0.95, 20);
		s.death = never;
		s.births = at_start;
		s.start = t / 10;
		assert_mostly("a table", &s, VERDICT_STARTUP, 0.99, 20);
		s.births = NULL;
		s.death = flushed;
		s.period = t / 8.3;
		assert_mostly("batches", &s, VERDICT_SAWTOOTH, 0.99, 20);
		s.period = t / 3.6;
		assert_mostly("long batches", &s, VERDICT_SAWTOOTH, 0.99, 20);
	}
}

/* A level of some ten samples is known to a third. That nothing is left of what
 * was born in the first half says more. */
static void what_turns_over_is_a_plateau_however_rough_its_level(void **state)
{
	struct site s = healthy(4, 120);

	s.death = some_leak;
	s.lifetime = 4;
	assert_mostly("lives of 4 s", &s, VERDICT_PLATEAU, 0.8, 20);
	for (s.leaked_share = 0.1; s.leaked_share < 1; s.leaked_share *= 2) {
		struct tally t = judge(&s, 20, TRIALS);

		if (t.kinds[VERDICT_PLATEAU] > 0.05 * TRIALS)
			fail_tally("some of it leaks", &t, "no plateau");
	}
}

/* With 20 stacks judged together one of 2000 alone may be a false alarm for
 * reasons of chance: FALSE_ALARMS / 20 each. */
static void assert_quiet(const char *what, const struct site *s,
			 unsigned allowed)
{
	struct tally t = judge(s, 20, TRIALS);

	if (t.kinds[VERDICT_LEAK] > allowed)
		fail_tally(what, &t, "no leak");
}

static void quiet_at(double per_second, double seconds)
{
	struct site s = healthy(per_second, seconds);

	s.death = some_leak;
	s.lifetime = 1;
	assert_quiet("short lives", &s, 1);
	s.lifetime = seconds / 10;
	assert_quiet("longer lives", &s, 1);
	s.births = doubles;
	s.start = seconds / 2;
	assert_quiet("twice the load", &s, 2);
	s.births = NULL;
	s.lifetime = seconds / 6;
	s.death = evicted;
	assert_quiet("a queue", &s, 1);
	s.death = replaced;
	assert_quiet("a cache", &s, 1);
	s.death = flushed;
	s.period = seconds / 1.7;
	assert_quiet("one batch and a half", &s, 0);
	s.death = never;
	s.births = at_start;
	s.start = seconds / 10;
	assert_quiet("a table", &s, 0);
	s.births = NULL;
	s.leaked_share = 0.05;
	s.lifetime = 0.5;
	s.period = seconds / 4;
	s.death = some_stay;
	assert_quiet("some live longer", &s, 3);
	s.lifetime = 0.1;
	s.period = seconds / 2;
	s.death = of_all_ages;
	assert_quiet("lives of all lengths", &s, 3);
	s.death = never;
	s.births = first_use;
	s.start = seconds / 6;
	assert_quiet("a fixed set of keys", &s, 1);
}

static void healthy_ones_are_not_accused(void **state)
{
	quiet_at(2, 120);
	quiet_at(20, 120);
	quiet_at(20, 40);
	quiet_at(2, 1800);
}

/* A cache that fills looks like a leak until growth slows: then it must not be
 * called one any more. Two time constants are enough. */
static void a_filling_cache_is_given_the_benefit_of_the_doubt(void **state)
{
	struct site s = healthy(20, 120);

	s.death = never;
	s.births = first_use;
	s.start = 60;
	assert_quiet("a cache that fills", &s, 3);
}

static struct verdict verdict_of(const struct site *s)
{
	struct watched w;
	struct verdict v;

	watch_site(s, 5, &w);
	verdict_judge(&w.input, &v);
	return v;
}

/* ---- Doubts, and what settles them
 * ------------------------------------------- */

static void a_short_look_is_no_verdict(void **state)
{
	struct site s = leaking(1000, 20);
	struct verdict v = verdict_of(&s);

	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.doubt, DOUBT_TIME);
	assert_float_equal(v.settle_seconds, VERDICT_SECONDS_MIN, 0);
}

static void few_samples_ask_for_more(void **state)
{
	struct site s = leaking(8, 120);
	struct verdict v = verdict_of(&s);

	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.doubt, DOUBT_SAMPLES);
	assert_true(v.settle_seconds > 120);
	assert_true(v.settle_sample_bytes > 0);
	assert_true(v.settle_sample_bytes < RATE_16K);
	/* And that would do. */
	s.sample_bytes = v.settle_sample_bytes / 2;
	assert_mostly("sampled finer", &s, VERDICT_LEAK, 0.9, 1);
	s = leaking(8 * 2 * v.settle_seconds / 120, 2 * v.settle_seconds);
	assert_mostly("watched longer", &s, VERDICT_LEAK, 0.9, 1);
}

static void a_fall_before_makes_doubtful(void **state)
{
	struct site s = healthy(100, 120);
	struct verdict v;

	s.death = flushed;
	s.period = 70;
	v = verdict_of(&s);
	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.doubt, DOUBT_DROPPED);
	assert_int_equal(v.drops, 1);
	assert_true(v.settle_seconds > 120);
}

static void a_collected_heap_needs_a_collection(void **state)
{
	struct site s = leaking(1000, 120);
	struct verdict v;
	struct watched w;

	watch_site(&s, 5, &w);
	w.input.collected = true;
	w.input.cohort_count = 0;
	w.input.collections = 0;
	verdict_judge(&w.input, &v);
	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.doubt, DOUBT_COLLECTIONS);
	w.input.collections = 2;
	verdict_judge(&w.input, &v);
	assert_int_equal(v.kind, VERDICT_LEAK);
}

static void nothing_at_all_is_no_verdict(void **state)
{
	struct verdict_input in = {.tested = 0};
	struct verdict v;

	verdict_judge(&in, &v);
	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.doubt, DOUBT_TIME);
}

/* ---- Reasons
 * -------------------------------------------------------------------- */

static void reasons_are_true(void **state)
{
	struct site s = healthy(100, 120);
	struct verdict v;

	s.death = some_leak;
	s.lifetime = 5;
	v = verdict_of(&s);
	/* In the fourth quarter of two minutes hardly anything lives on. */
	assert_true(v.survival >= 0 && v.survival < 0.01);
	assert_float_equal(v.freed_lifetime_seconds, 5, 0.6);
	assert_float_equal(v.mean_age_seconds, 5, 1.5);
	assert_float_equal(v.late_share, 0.5, 0.03);
	s.leaked_share = 0.25;
	v = verdict_of(&s);
	assert_float_equal(v.survival, 0.25, 0.03);
	s.death = flushed;
	s.period = 10.5;
	v = verdict_of(&s);
	assert_int_equal(v.drops, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(intervals_of_a_pure_leak_hold_the_truth),
		cmocka_unit_test(
			intervals_of_a_leak_beside_churn_hold_the_truth),
		cmocka_unit_test(intervals_of_churn_alone_hold_zero),
		cmocka_unit_test(intervals_of_bursts_hold_the_truth),
		cmocka_unit_test(intervals_hold_the_truth_after_a_day),
		cmocka_unit_test(a_straight_line_is_measured_exactly),
		cmocka_unit_test(too_few_points_say_nothing),
		cmocka_unit_test(no_sample_does_not_mean_no_growth),
		cmocka_unit_test(one_jump_does_not_move_the_median),
		cmocka_unit_test(quantiles_are_those_of_the_tables),
		cmocka_unit_test(leaks_are_found),
		cmocka_unit_test(leaks_beside_churn_are_found),
		cmocka_unit_test(leaks_are_found_by_what_survives),
		cmocka_unit_test(leaks_in_bursts_and_late_ones_are_found),
		cmocka_unit_test(more_evidence_makes_surer),
		cmocka_unit_test(each_kind_has_its_name),
		cmocka_unit_test(
			what_turns_over_is_a_plateau_however_rough_its_level),
		cmocka_unit_test(healthy_ones_are_not_accused),
		cmocka_unit_test(
			a_filling_cache_is_given_the_benefit_of_the_doubt),
		cmocka_unit_test(a_short_look_is_no_verdict),
		cmocka_unit_test(few_samples_ask_for_more),
		cmocka_unit_test(a_fall_before_makes_doubtful),
		cmocka_unit_test(a_collected_heap_needs_a_collection),
		cmocka_unit_test(nothing_at_all_is_no_verdict),
		cmocka_unit_test(reasons_are_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
