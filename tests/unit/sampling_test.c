// SPDX-License-Identifier: GPL-2.0-only
/* The integer arithmetic of sampling against the formulas in double. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "leakbpf/abi_user.h"
#include "leakbpf/sampling.h"

static const uint64_t intervals[] = {
	64, 1000, 4096, 16384, 524288, 1 << 20, SAMPLING_INTERVAL_MAX};

static double probability(uint32_t threshold)
{
	return threshold ? threshold / 4294967296.0 : 1.0;
}

static void threshold_is_one_minus_exp(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(intervals) / sizeof(*intervals); i++) {
		double r = intervals[i];

		for (uint64_t size = 1; size < intervals[i] * 40;
		     size += size / 7 + 1) {
			double expected = -expm1(-(double)size / r);
			double seen = probability(
				sampling_threshold(size, intervals[i]));

			/* Below 1/16 the series: relative, plus 2^-32. Above
			 * it a table of 64 chords: (ln 2 / 64)^2 / 8. */
			double tolerance = size / r < 1 / 16.0
						   ? 1.1e-5 * expected + 5e-10
						   : 1.6e-5;

			if (fabs(seen - expected) > tolerance)
				fail_msg("P(%lu, %lu): expected %.12f, seen "
					 "%.12f",
					 size, intervals[i], expected, seen);
		}
	}
}

static void exact_mode_takes_everything(void **state)
{
	(void)state;
	assert_int_equal(sampling_threshold(1, 0), 0);
	assert_int_equal(sampling_bytes(12345, 0), 12345);
	assert_int_equal(sampling_objects_q8(0), 256);
	assert_int_equal(sampling_bytes_variance(1 << 30, 0, 8), 0);
}

static void zero_size_counts_as_one_byte(void **state)
{
	(void)state;
	assert_int_equal(sampling_threshold(0, 4096),
			 sampling_threshold(1, 4096));
	assert_int_equal(sampling_bytes(0, 1000), 0);
}

static void cheap_test_never_rejects_a_sample(void **state)
{
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < 2000000; i++) {
		uint64_t interval = intervals[i % 7];
		uint64_t size;
		uint32_t threshold;

		random = random * 1664525 + 1013904223;
		size = (random >> 8) % (interval * 2) + (i & 1);
		threshold = sampling_threshold(size, interval);
		random = random * 1664525 + 1013904223;
		if ((!threshold || random < threshold) &&
		    !sampling_maybe(size, interval, random))
			fail_msg("size %lu, interval %lu, random %u: sampled "
				 "but rejected by the cheap test",
				 size, interval, random);
	}
}

static void weights_are_inverse_probabilities(void **state)
{
	(void)state;
	for (size_t i = 0; i < 7; i++)
		for (uint64_t size = 1; size < (1ULL << 40);
		     size += size / 3 + 1) {
			uint32_t t = sampling_threshold(size, intervals[i]);
			double p = probability(t);
			double bytes = sampling_bytes(size, t);
			double objects = sampling_objects_q8(t) / 256.0;

			if (fabs(bytes - size / p) > 1 + 1e-9 * size / p)
				fail_msg("bytes of %lu at %lu: expected %f, "
					 "seen %f",
					 size, intervals[i], size / p, bytes);
			if (fabs(objects - 1 / p) > 1 / 128.0)
				fail_msg("objects of %lu at %lu: expected %f, "
					 "seen %f",
					 size, intervals[i], 1 / p, objects);
		}
}

static void variances_match_horvitz_thompson(void **state)
{
	(void)state;
	for (size_t i = 1; i < 7; i++) {
		uint32_t shift = 2;

		while (intervals[i] >> (shift + 9))
			shift++;
		for (uint64_t size = 1; size < intervals[i] * 8;
		     size += size / 3 + 1) {
			uint32_t t = sampling_threshold(size, intervals[i]);
			double p = probability(t), w = size / p;
			double bytes = (1 - p) * w * w;
			double objects = (1 - p) / p / p;
			double seen = sampling_bytes_variance(size, t, shift) *
				      ldexp(1, 2 * shift);
			double seen_objects =
				sampling_objects_variance_q4(t) / 16.0;

			/* Weights are kept to 8 bits. */
			if (fabs(seen - bytes) > 0.02 * bytes + w * w * 2e-3)
				fail_msg("bytes variance of %lu at %lu: "
					 "expected %g, seen %g",
					 size, intervals[i], bytes, seen);
			if (fabs(seen_objects - objects) > 0.02 * objects + 0.1)
				fail_msg("objects variance of %lu at %lu: "
					 "expected %g, seen %g",
					 size, intervals[i], objects,
					 seen_objects);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threshold_is_one_minus_exp),
		cmocka_unit_test(exact_mode_takes_everything),
		cmocka_unit_test(zero_size_counts_as_one_byte),
		cmocka_unit_test(cheap_test_never_rejects_a_sample),
		cmocka_unit_test(weights_are_inverse_probabilities),
		cmocka_unit_test(variances_match_horvitz_thompson),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
