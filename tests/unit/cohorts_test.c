/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trace/cohorts.h"

#define SECOND 1000000000ULL
#define START  (5000 * SECOND)

/* As bpf/outstanding.h looks a slot up. */
static uint32_t slot_of(const struct cohort_layout *l, uint64_t birth)
{
	uint32_t at = l->count - 1;

	while (at && birth < l->start_ns[at])
		at--;
	return l->slot[at];
}

static void assert_valid(const struct cohort_layout *l)
{
	uint32_t seen = 0;

	assert_in_range(l->count, 1, COHORTS);
	assert_int_equal(l->start_ns[0], 0);
	for (uint32_t i = 0; i < l->count; i++) {
		assert_in_range(l->slot[i], 0, COHORTS - 1);
		if (seen & 1u << l->slot[i])
			fail_msg("slot %u is listed twice", l->slot[i]);
		seen |= 1u << l->slot[i];
		if (i && l->start_ns[i] <= l->start_ns[i - 1])
			fail_msg("cohort %u starts before the one before", i);
	}
}

static void starts_with_one_cohort_for_every_birth(void **state)
{
	struct cohorts c;

	cohorts_init(&c, START);
	assert_valid(&c.layout);
	assert_int_equal(c.layout.count, 1);
	assert_int_equal(cohort_index(&c.layout, 0), 0);
	assert_int_equal(cohort_index(&c.layout, UINT64_MAX), 0);
}

static void a_birth_belongs_to_the_last_cohort_that_starts_before_it(void **s)
{
	struct cohort_layout l = {
		.count = 3, .start_ns = {0, 100, 200}, .slot = {5, 1, 7}};

	assert_int_equal(cohort_index(&l, 0), 0);
	assert_int_equal(cohort_index(&l, 99), 0);
	assert_int_equal(cohort_index(&l, 100), 1);
	assert_int_equal(cohort_index(&l, 199), 1);
	assert_int_equal(cohort_index(&l, 200), 2);
	assert_int_equal(cohort_index(&l, UINT64_MAX), 2);
}

static void a_new_cohort_starts_after_the_grace_period(void **state)
{
	struct cohorts c;
	uint64_t now = START + 3 * SECOND;

	cohorts_init(&c, START);
	assert_false(cohorts_advance(&c, START + SECOND));
	assert_true(cohorts_advance(&c, now));
	assert_int_equal(c.layout.count, 2);
	/* A program with the old layout and one with the new agree on all
	 * births up to then. */
	assert_int_equal(c.layout.start_ns[1], now + COHORT_GRACE_NS);
	assert_int_equal(cohort_index(&c.layout, now), 0);
}

/* Advances until a merge is under way. */
static uint64_t run_into_a_merge(struct cohorts *c)
{
	uint64_t now = START;

	cohorts_init(c, START);
	while (!c->merging && now < START + 3600 * SECOND)
		cohorts_advance(c, now += SECOND);
	assert_true(c->merging);
	return now;
}

static void a_merge_waits_for_the_grace_period(void **state)
{
	struct cohorts c;
	struct cohort_merge m;
	uint64_t now = run_into_a_merge(&c);

	assert_false(cohorts_merge_due(&c, now, &m));
	assert_false(cohorts_merge_due(&c, now + COHORT_GRACE_NS - 1, &m));
	assert_true(cohorts_merge_due(&c, now + COHORT_GRACE_NS, &m));
	assert_int_not_equal(m.from, m.into);
}

static void nothing_changes_until_the_merge_is_done(void **state)
{
	struct cohorts c, before;
	uint64_t now = run_into_a_merge(&c);

	before = c;
	for (int i = 1; i < 100; i++)
		assert_false(cohorts_advance(&c, now + (uint64_t)i * SECOND));
	assert_memory_equal(&c, &before, sizeof(c));
	cohorts_merge_done(&c);
	assert_true(cohorts_advance(&c, now + 100 * SECOND));
}

static void readers_see_both_cohorts_of_a_pending_merge(void **state)
{
	struct cohorts c;
	struct cohort_merge m;
	uint64_t now = run_into_a_merge(&c);
	bool from = false, into = false;

	assert_true(cohorts_merge_due(&c, now + SECOND, &m));
	assert_valid(&c.readable);
	for (uint32_t i = 0; i < c.readable.count; i++) {
		from |= c.readable.slot[i] == m.from;
		into |= c.readable.slot[i] == m.into;
	}
	assert_true(from && into);
	for (uint32_t i = 0; i < c.layout.count; i++)
		assert_int_not_equal(c.layout.slot[i], m.from);
	cohorts_merge_done(&c);
	assert_memory_equal(&c.readable, &c.layout, sizeof(c.layout));
}

/* ---- 48 hours, with counts kept as the tracer and the programs do -------- */

struct world {
	struct cohorts c;
	struct cohort_layout old; /* what a slow program still uses */
	uint64_t now;
	int64_t slots[COHORTS]; /* births booked */
	uint64_t births[48 * 3600 + 1];
	size_t count;
	double worst;
};

static void merge_when_due(struct world *w)
{
	struct cohort_merge m;

	if (!cohorts_merge_due(&w->c, w->now, &m))
		return;
	w->slots[m.into] += w->slots[m.from];
	w->slots[m.from] = 0;
	cohorts_merge_done(&w->c);
}

/* Books one birth a second, some by a program that still has the layout before
 * the latest, which is allowed within the grace period. */
static void give_birth(struct world *w)
{
	uint64_t birth = w->now + 10000000;
	bool slow = w->now % (3 * SECOND) == 0;

	w->births[w->count++] = birth;
	w->slots[slot_of(slow ? &w->old : &w->c.layout, birth)]++;
}

static void assert_widths_grow_with_age(const struct cohort_layout *l)
{
	for (uint32_t i = 1; i + 2 < l->count; i++) {
		uint64_t older =
			l->start_ns[i] - (i > 1 ? l->start_ns[i - 1] : START);
		uint64_t younger = l->start_ns[i + 1] - l->start_ns[i];

		/* Steps of 1 s: a new cohort is 2 s wide to the step. */
		if (younger > older + SECOND)
			fail_msg("cohort %u is %llu s wide, the older one "
				 "%llu s",
				 i, (unsigned long long)(younger / SECOND),
				 (unsigned long long)(older / SECOND));
	}
}

static void note_resolution(struct world *w)
{
	const struct cohort_layout *l = &w->c.layout;

	for (uint32_t i = 0; i + 1 < l->count; i++) {
		uint64_t start = i ? l->start_ns[i] : START;
		uint64_t end = l->start_ns[i + 1];
		double old = (double)(w->now - start);
		double young = end < w->now ? (double)(w->now - end) : 0;
		double ratio = old / (young + COHORT_WIDTH_NS);

		if (ratio > w->worst)
			w->worst = ratio;
	}
}

/* No merge pending: the slots hold exactly the births of their cohorts. */
static void assert_counts_agree(struct world *w)
{
	int64_t expected[COHORTS] = {0};

	for (size_t i = 0; i < w->count; i++)
		expected[slot_of(&w->c.layout, w->births[i])]++;
	for (int i = 0; i < COHORTS; i++)
		if (w->slots[i] != expected[i])
			fail_msg("slot %d: expected %lld births, seen %lld", i,
				 (long long)expected[i],
				 (long long)w->slots[i]);
}

static void run_until(struct world *w, uint64_t seconds)
{
	while (w->now < START + seconds * SECOND) {
		w->now += SECOND;
		merge_when_due(w);
		w->old = w->c.layout;
		cohorts_advance(&w->c, w->now);
		assert_valid(&w->c.layout);
		assert_valid(&w->c.readable);
		assert_widths_grow_with_age(&w->c.layout);
		give_birth(w);
		note_resolution(w);
	}
	w->now += SECOND / 2;
	merge_when_due(w);
	assert_counts_agree(w);
	w->now -= SECOND / 2;
}

static void ages_stay_resolved_for_48_hours(void **state)
{
	static struct world w;
	static const struct {
		uint64_t seconds;
		double worst; /* as promised in cohorts.h */
	} marks[] = {{60, 2.1},	   {1200, 2.1},	 {3600, 3.1},
		     {14400, 3.1}, {86400, 4.5}, {172800, 4.5}};

	w.now = START;
	cohorts_init(&w.c, START);
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		run_until(&w, marks[i].seconds);
		print_message("  after %6llu s: %.2f\n",
			      (unsigned long long)marks[i].seconds, w.worst);
		if (w.worst > marks[i].worst)
			fail_msg("after %llu s: expected at most %.1f, seen "
				 "%.2f",
				 (unsigned long long)marks[i].seconds,
				 marks[i].worst, w.worst);
	}
}

static void a_long_pause_does_no_harm(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	w.now = START;
	cohorts_init(&w.c, START);
	run_until(&w, 100);
	w.now += 7200 * SECOND;
	merge_when_due(&w);
	for (int i = 0; i < 1000; i++) {
		w.now += 3 * SECOND;
		merge_when_due(&w);
		w.old = w.c.layout;
		cohorts_advance(&w.c, w.now);
		assert_valid(&w.c.layout);
		give_birth(&w);
	}
	w.now += SECOND;
	merge_when_due(&w);
	assert_counts_agree(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_with_one_cohort_for_every_birth),
		cmocka_unit_test(
			a_birth_belongs_to_the_last_cohort_that_starts_before_it),
		cmocka_unit_test(a_new_cohort_starts_after_the_grace_period),
		cmocka_unit_test(a_merge_waits_for_the_grace_period),
		cmocka_unit_test(nothing_changes_until_the_merge_is_done),
		cmocka_unit_test(readers_see_both_cohorts_of_a_pending_merge),
		cmocka_unit_test(ages_stay_resolved_for_48_hours),
		cmocka_unit_test(a_long_pause_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
