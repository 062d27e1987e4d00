// SPDX-License-Identifier: GPL-2.0-only
/* Lifetimes from glimpses, on simulated programs whose blocks' ends are known.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "budget/budget.h"
#include "budget/life_table.h"

#define SECONDS 300
#define RATE	400 /* births per second, of one byte each */
#define BLOCKS	(SECONDS * RATE)

struct block_life {
	double birth, death;
};

/* What is on the books: births in windows, until seen to die in a later one. */
struct booked {
	double birth, death, weight;
};

static double uniform(void)
{
	return (rand() + 0.5) / (RAND_MAX + 1.0);
}

static double exponential(double mean)
{
	return -mean * log(uniform());
}

static struct block_life lives[BLOCKS];
static struct booked books[BLOCKS];
static size_t booked_count;

static void live(double mean, double forever)
{
	for (int i = 0; i < BLOCKS; i++) {
		lives[i].birth = (double)i / RATE;
		lives[i].death = uniform() < forever
					 ? INFINITY
					 : lives[i].birth + exponential(mean);
	}
}

/* Once dead unseen, its address is another such block's: the end of that one is
 * taken for its own. */
static void hand_out_again(struct booked *b, double mean, double at)
{
	if (b->death < at)
		b->death = at + exponential(mean);
}

static void glimpse(struct life_table *t, double mean, double begin, double end)
{
	double deaths[LIFE_CLASSES] = {0}, at_risk[LIFE_CLASSES] = {0};
	size_t left = 0;

	for (size_t i = 0; i < booked_count; i++) {
		struct booked *b = &books[i];
		unsigned class =
			life_class((uint64_t)((begin - b->birth) * 1e9));

		hand_out_again(b, mean, begin);
		if (b->death < end) {
			deaths[class] += b->weight;
			continue;
		}
		at_risk[class] += b->weight;
		books[left++] = *b;
	}
	booked_count = left;
	life_table_add(t, deaths, at_risk, end - begin);
}

static void book(double begin, double end, double gap)
{
	for (int i = 0; i < BLOCKS; i++)
		if (lives[i].birth >= begin && lives[i].birth < end &&
		    lives[i].death >= end)
			books[booked_count++] = (struct booked){
				lives[i].birth, lives[i].death,
				(gap + end - begin) / (end - begin)};
}

struct watched {
	struct life_table table;
	double ended, gaps, gaps_squared, seen;
};

static double estimate(const struct watched *w)
{
	double sum = 0;

	for (size_t i = 0; i < booked_count; i++)
		sum += books[i].weight *
		       life_table_share(&w->table, 0.15,
					w->ended - books[i].birth,
					w->gaps_squared / w->gaps,
					w->gaps / (w->gaps + w->seen));
	return sum;
}

/* Of what is on the books, the share that lives for certain. */
static double surely(const struct watched *w)
{
	double bytes = 0, sum = 0, most;

	for (size_t i = 0; i < booked_count; i++)
		bytes += books[i].weight;
	most = life_table_hazard_most(&w->table, bytes / (double)booked_count);
	for (size_t i = 0; i < booked_count; i++)
		sum += books[i].weight *
		       exp(-most * w->gaps / (w->gaps + w->seen) *
			   (w->ended - books[i].birth));
	return sum / bytes;
}

static double truth(double at)
{
	double sum = 0;

	for (int i = 0; i < BLOCKS; i++)
		sum += lives[i].birth < at && lives[i].death >= at;
	return sum;
}

struct result {
	double ratio;  /* of estimates to truth, at the ends of windows in the
			* second half */
	double surely; /* live, at the last end */
};

/* Watches in pairs of windows of 0.3 s. */
static struct result watch_lives(double mean, double forever, unsigned seed)
{
	double sum_estimate = 0, sum_truth = 0;
	struct watched w = {0};
	bool second = false;

	srand(seed);
	live(mean, forever);
	booked_count = 0;
	for (;;) {
		double gap = second ? (double)window_lag_ns(uniform()) / 1e9
				    : 5 + 10 * uniform();

		double now = w.ended + gap;

		if (now + 0.3 > SECONDS)
			break;
		glimpse(&w.table, mean, now, now + 0.3);
		book(now, now + 0.3, gap);
		w.ended = now + 0.3;
		w.gaps += gap;
		w.gaps_squared += gap * gap;
		w.seen += 0.3;
		second = !second;
		if (now > SECONDS / 2.0) {
			sum_estimate += estimate(&w);
			sum_truth += truth(w.ended);
		}
	}
	return (struct result){sum_estimate / sum_truth, surely(&w)};
}

static double watch(double mean, double forever)
{
	return watch_lives(mean, forever, 7).ratio;
}

static void expect(const char *what, double ratio, double low, double high)
{
	if (ratio < low || ratio > high)
		fail_msg("%s: expected %.2f to %.2f of what lives, got %.3f",
			 what, low, high, ratio);
}

static void what_lives_for_seconds_is_not_held_for_ever(void **state)
{
	(void)state;
	expect("half a second", watch(0.5, 0), 0.4, 2.5);
	expect("two seconds", watch(2, 0), 0.6, 1.6);
	expect("ten seconds", watch(10, 0), 0.6, 1.6);
	expect("a minute", watch(60, 0), 0.7, 1.4);
}

static void what_never_dies_counts_in_full(void **state)
{
	(void)state;
	expect("a leak", watch(1, 1), 0.95, 1.05);
}

static void what_windows_have_looked_at_for_long_lives_for_certain(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 10; seed++) {
		expect("a leak", watch_lives(1, 1, seed).surely, 0.9, 1);
		expect("a minute", watch_lives(60, 0, seed).surely, 0, 0.5);
		expect("ten seconds", watch_lives(10, 0, seed).surely, 0, 0.5);
	}
}

/* Garwood (1936): 3.6889 deaths were possible when none was seen. */
static void what_was_looked_at_briefly_may_be_dead(void **state)
{
	double none[LIFE_CLASSES] = {0}, at_risk[LIFE_CLASSES] = {[3] = 4000};
	struct life_table t = {0};

	(void)state;
	assert_true(life_table_hazard_most(&t, 1000) > 1e6);
	assert_true(exp(-life_table_hazard_most(&t, 1000) * 0) == 1);
	life_table_add(&t, none, at_risk, 0.5);
	expect("four samples for half a second",
	       life_table_hazard_most(&t, 1000), 1.84, 1.85);
}

static void what_was_never_seen_to_die_lives(void **state)
{
	struct life_table t = {0};

	(void)state;
	assert_true(life_table_share(&t, 0, 1000, 0, 1) == 1);
	assert_true(life_table_share(&t, 0, 1000, 10, 1) == 1);
}

/* Seen to live for two seconds, blocks that die at 1 per second. */
static void time_in_which_it_was_seen_does_not_count(void **state)
{
	double deaths[LIFE_CLASSES], at_risk[LIFE_CLASSES];
	struct life_table t = {0};

	(void)state;
	for (int i = 0; i < LIFE_CLASSES; i++) {
		deaths[i] = 100;
		at_risk[i] = 950;
	}
	life_table_add(&t, deaths, at_risk, 0.1);
	expect("unseen", life_table_share(&t, 2, 4, 0, 1) / exp(-2), 0.99,
	       1.01);
	expect("half of it unseen",
	       life_table_share(&t, 2, 4, 0, 0.5) / exp(-1), 0.99, 1.01);
	expect("no time passed", life_table_share(&t, 2, 2, 0, 1), 1, 1);
	/* The mean of exp(-x) over 0..1. */
	expect("spread", life_table_share(&t, 2, 2, 1, 1) / (1 - exp(-1)), 0.99,
	       1.01);
}

static void classes_of_ages_double(void **state)
{
	(void)state;
	assert_int_equal(life_class(0), 0);
	assert_int_equal(life_class((1ULL << LIFE_FIRST_SHIFT) - 1), 0);
	assert_int_equal(life_class(1ULL << LIFE_FIRST_SHIFT), 1);
	assert_int_equal(life_class(1ULL << (LIFE_FIRST_SHIFT + 3)), 4);
	assert_int_equal(life_class(UINT64_MAX), LIFE_CLASSES - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_lives_for_seconds_is_not_held_for_ever),
		cmocka_unit_test(what_never_dies_counts_in_full),
		cmocka_unit_test(
			what_windows_have_looked_at_for_long_lives_for_certain),
		cmocka_unit_test(what_was_looked_at_briefly_may_be_dead),
		cmocka_unit_test(what_was_never_seen_to_die_lives),
		cmocka_unit_test(time_in_which_it_was_seen_does_not_count),
		cmocka_unit_test(classes_of_ages_double),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
