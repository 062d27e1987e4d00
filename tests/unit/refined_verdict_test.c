/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts where sampling has become finer on the way: nothing healthy is
 * accused for that, and leaks are found as soon as the samples allow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "simulated_site.h"
#include "verdict/growth.h"

#define TRIALS 1000
#define COARSE 16384.0
#define FINE   1024.0

/* Blocks of 256 bytes, sampled finer from the tenth second on. */
static struct site refined(double bytes_per_second, double seconds)
{
	return (struct site){
		.size = 256,
		.peak = bytes_per_second / 256,
		.sample_bytes = FINE,
		.coarse_until = 10,
		.coarse_bytes = COARSE,
		.seconds = seconds,
	};
}

static unsigned accused(const struct site *s)
{
	unsigned leaks = 0;

	for (unsigned i = 0; i < TRIALS; i++) {
		struct watched w;
		struct verdict v;

		watch_site(s, 9000 + i, &w);
		w.input.tested = 20;
		verdict_judge(&w.input, &v);
		leaks += v.kind == VERDICT_LEAK;
	}
	return leaks;
}

static void assert_quiet(const char *what, const struct site *s)
{
	unsigned leaks = accused(s);

	print_message("  %s: %u of %d\n", what, leaks, TRIALS);
	/* 20 paths together: one false alarm in a hundred runs. */
	if (leaks > 3)
		fail_msg("%s: expected 3 leaks at most, seen %u of %d", what,
			 leaks, TRIALS);
}

static void healthy_ones_are_not_accused(void **state)
{
	static const double seconds[] = {40, 120};

	for (int i = 0; i < 2; i++) {
		struct site s = refined(100e3, seconds[i]);

		s.death = some_leak;
		s.lifetime = 1;
		assert_quiet("short lives", &s);
		s.lifetime = seconds[i] / 10;
		assert_quiet("longer lives", &s);
		s.lifetime = seconds[i] / 6;
		s.death = evicted;
		assert_quiet("a queue", &s);
		s.death = replaced;
		assert_quiet("a cache", &s);
		s.death = flushed;
		s.period = seconds[i] / 1.7;
		assert_quiet("one batch and a half", &s);
		s.death = never;
		s.births = at_start;
		s.start = seconds[i] / 10;
		assert_quiet("a table", &s);
		s.births = first_use;
		s.start = seconds[i] / 6;
		assert_quiet("a fixed set of keys", &s);
	}
}

/* 1 KiB/s: 10 s of it at one sample in 16 s, then one in each second. */
static void slow_leaks_are_found_soon(void **state)
{
	struct site s = refined(1024, 60);
	unsigned found;

	s.death = never;
	found = accused(&s);
	if (found < 0.9 * TRIALS)
		fail_msg("a minute: expected 90 %%, found %u of %d", found,
			 TRIALS);
}

static void intervals_hold_the_truth(void **state)
{
	static const double rates[] = {1024, 20e3};

	for (int i = 0; i < 2; i++) {
		struct site s = refined(rates[i], 90);
		unsigned inside = 0;

		s.death = never;
		for (unsigned k = 0; k < TRIALS; k++) {
			struct watched w;
			struct growth g;

			watch_site(&s, 500 + k, &w);
			growth_estimate(w.points, w.input.count, FINE, &g);
			inside += g.low <= rates[i] && rates[i] <= g.high;
		}
		if (inside < 0.93 * TRIALS)
			fail_msg("%.0f B/s: expected 95 %%, inside in %u of %d",
				 rates[i], inside, TRIALS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy_ones_are_not_accused),
		cmocka_unit_test(slow_leaks_are_found_soon),
		cmocka_unit_test(intervals_hold_the_truth),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
