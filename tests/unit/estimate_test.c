/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Intervals against known truth: populations of blocks are sampled thousands
 * of times with the very arithmetic of the BPF programs (leakbpf/sampling.h).
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

#include "base/poisson.h"
#include "leakbpf/abi_user.h"
#include "leakbpf/sampling.h"
#include "profile/estimate.h"

#define RUNS 4000
/* Of 4000 runs at 95 %, the share has a standard error of 0.35 %; three and a
 * bit of them, plus what the normal range costs at its lower end. */
#define COVERAGE_MIN 0.935
#define BLOCKS_MAX   20000

static uint64_t random_next(uint64_t *state)
{
	/* splitmix64 */
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return z ^ z >> 31;
}

struct population {
	size_t count;
	uint64_t interval;
	uint32_t shift;
	uint64_t size[BLOCKS_MAX];
	uint32_t threshold[BLOCKS_MAX];
	double bytes;
};

/* Sizes spread evenly on a logarithmic scale over [low, high]. */
static struct population *population_new(size_t count, double low, double high,
					 uint64_t interval)
{
	static struct population p;
	uint64_t seed = 42;

	memset(&p, 0, sizeof(p));
	p.count = count;
	p.interval = interval;
	while (interval >> p.shift > 1024)
		p.shift++;
	for (size_t i = 0; i < count; i++) {
		double u = (double)(random_next(&seed) >> 11) / (1ULL << 53);

		p.size[i] = (uint64_t)(low * pow(high / low, u));
		p.threshold[i] = sampling_threshold(p.size[i], interval);
		p.bytes += (double)p.size[i];
	}
	return &p;
}

/* The first blocks were sampled more coarsely than it is done now. */
static struct population *sampled_finer_later(struct population *p,
					      size_t before, uint64_t interval)
{
	for (size_t i = 0; i < before; i++)
		p->threshold[i] = sampling_threshold(p->size[i], interval);
	return p;
}

static struct estimate_sums sample(const struct population *p, uint64_t *seed)
{
	double unit = ldexp(1, 2 * (int)p->shift);
	struct estimate_sums s = {0};

	for (size_t i = 0; i < p->count; i++) {
		uint32_t t = p->threshold[i];

		if (t && (uint32_t)(random_next(seed) >> 32) >= t)
			continue;
		s.samples++;
		s.bytes += (double)sampling_bytes(p->size[i], t);
		s.objects += (double)sampling_objects_q8(t) / 256;
		s.bytes_variance += unit * (double)sampling_bytes_variance(
						   p->size[i], t, p->shift);
		s.objects_variance +=
			(double)sampling_objects_variance_q4(t) / 16;
	}
	return s;
}

struct outcome {
	double bytes_covered, objects_covered; /* share of the runs */
	double bytes_bias, objects_bias;       /* in standard errors */
	double samples;
};

/* A stack without a sample is in no report; it counts as covered when the truth
 * is within the Poisson limit for nothing seen. */
static bool covers(const struct estimate *e, const struct estimate_sums *s,
		   double truth, double unseen_limit)
{
	if (s->samples == 0)
		return truth <= unseen_limit;
	return e->low <= truth && truth <= e->high;
}

/* In standard errors of the mean; weights are stored to 1/256, so that a
 * thousandth is no bias of the estimator. */
static double bias(double sum, double squares, double truth)
{
	double mean = sum / RUNS;
	double variance = squares / RUNS - mean * mean;

	if (fabs(mean - truth) < truth / 1000)
		return 0;
	return variance > 0 ? (mean - truth) / sqrt(variance / RUNS)
			    : mean - truth;
}

static struct outcome run(const char *name, const struct population *p)
{
	struct outcome o = {0};
	double none_low, none_high, b = 0, b2 = 0, n = 0, n2 = 0;
	double blocks = (double)p->count;
	uint64_t seed = 7;

	poisson_limits(0, &none_low, &none_high);
	for (int i = 0; i < RUNS; i++) {
		struct estimate_sums s = sample(p, &seed);
		struct estimate eb = estimate_bytes(&s, p->interval);
		struct estimate eo = estimate_objects(&s);
		double mean_size = p->bytes / blocks;
		double unseen = none_high * (double)p->interval;

		o.bytes_covered += covers(&eb, &s, p->bytes, unseen);
		o.objects_covered +=
			covers(&eo, &s, blocks, unseen / mean_size);
		o.samples += s.samples / RUNS;
		b += eb.value;
		b2 += eb.value * eb.value;
		n += eo.value;
		n2 += eo.value * eo.value;
	}
	o.bytes_covered /= RUNS;
	o.objects_covered /= RUNS;
	o.bytes_bias = bias(b, b2, p->bytes);
	o.objects_bias = bias(n, n2, blocks);
	print_message("  %-34s %8.1f samples, covered: bytes %.3f objects %.3f,"
		      " bias: %+.1f %+.1f standard errors\n",
		      name, o.samples, o.bytes_covered, o.objects_covered,
		      o.bytes_bias, o.objects_bias);
	return o;
}

static void assert_at_least(const char *what, double seen, double expected)
{
	if (!(seen >= expected))
		fail_msg("%s: expected at least %.4f, seen %.4f", what,
			 expected, seen);
}

static void assert_unbiased(const char *what, double standard_errors)
{
	if (!(fabs(standard_errors) < 4))
		fail_msg("%s: expected within 4 standard errors, seen %.2f",
			 what, standard_errors);
}

static void bytes_of_any_mixture_are_covered_and_unbiased(void **state)
{
	static const struct {
		const char *name;
		size_t count;
		double low, high;
		uint64_t interval;
	} cases[] = {
		{"8 B .. 10 MB, 20 blocks", 20, 8, 10e6, 65536},
		{"8 B .. 10 MB, 300 blocks", 300, 8, 10e6, 65536},
		{"8 B .. 10 MB, 300, R 512 KiB", 300, 8, 10e6, 524288},
		{"8 B .. 10 MB, 20000 blocks", 20000, 8, 10e6, 65536},
		{"8 .. 512 B, 200 blocks", 200, 8, 512, 65536},
		{"8 .. 512 B, 2000 blocks", 2000, 8, 512, 65536},
		{"8 .. 512 B, 20000 blocks", 20000, 8, 512, 65536},
		{"1 .. 64 KiB, 100 blocks", 100, 1024, 65536, 65536},
		{"R 4096, 1 B .. 1 MB, 500", 500, 1, 1e6, 4096},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct outcome o =
			run(cases[i].name,
			    population_new(cases[i].count, cases[i].low,
					   cases[i].high, cases[i].interval));

		assert_at_least(cases[i].name, o.bytes_covered, COVERAGE_MIN);
		assert_unbiased(cases[i].name, o.bytes_bias);
		assert_unbiased(cases[i].name, o.objects_bias);
	}
}

static void samples_of_two_intervals_are_covered_and_unbiased(void **state)
{
	static const struct {
		const char *name;
		size_t count, before;
		double low, high;
	} cases[] = {
		{"all but a few before", 4000, 3900, 64, 512},
		{"half before", 4000, 2000, 64, 512},
		{"a few before", 4000, 200, 64, 512},
		{"many sizes", 2000, 1000, 8, 1e6},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct population *p = population_new(
			cases[i].count, cases[i].low, cases[i].high, 1024);
		struct outcome o;

		sampled_finer_later(p, cases[i].before, 16384);
		o = run(cases[i].name, p);
		assert_at_least(cases[i].name, o.bytes_covered, COVERAGE_MIN);
		assert_unbiased(cases[i].name, o.bytes_bias);
		assert_unbiased(cases[i].name, o.objects_bias);
	}
}

static void objects_of_similar_size_are_covered(void **state)
{
	static const double sizes[] = {16, 100, 1000, 10e3, 60e3, 200e3};
	static const size_t counts[] = {5, 100, 1000, 10000};
	char name[64];

	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]);
		     c++) {
			double low = sizes[s], high = 2 * sizes[s];
			struct outcome o;

			snprintf(name, sizeof(name), "%.0f .. %.0f B, %zu", low,
				 high, counts[c]);
			o = run(name,
				population_new(counts[c], low, high, 65536));
			assert_at_least(name, o.objects_covered, COVERAGE_MIN);
			assert_at_least(name, o.bytes_covered, COVERAGE_MIN);
			assert_unbiased(name, o.objects_bias);
		}
	}
}

/* Width as well as coverage: 1000 samples are good for about 6 %. */
static void intervals_narrow_with_the_samples(void **state)
{
	struct estimate_sums s = {.samples = 1000,
				  .bytes = 1000 * 65536.0,
				  .bytes_variance = 1000 * 65536.0 * 65536.0,
				  .objects = 1e6,
				  .objects_variance = 1e9};
	struct estimate b = estimate_bytes(&s, 65536);
	struct estimate o = estimate_objects(&s);

	assert_true(fabs((b.high - b.low) / 2 / b.value - 0.062) < 0.002);
	assert_true(fabs((o.high - o.low) / 2 / o.value - 0.062) < 0.002);
	assert_true(b.low < b.value && b.value < b.high);
}

static void exact_recording_has_no_margin(void **state)
{
	struct estimate_sums s = {.samples = 3, .bytes = 300, .objects = 3};
	struct estimate b = estimate_bytes(&s, 0);
	struct estimate o = estimate_objects(&s);

	assert_true(b.low == 300 && b.value == 300 && b.high == 300);
	assert_true(o.low == 3 && o.value == 3 && o.high == 3);
}

static void blocks_sampled_with_certainty_have_no_margin(void **state)
{
	struct estimate_sums s = {.samples = 3, .bytes = 3e7, .objects = 3};
	struct estimate b = estimate_bytes(&s, 65536);

	assert_true(b.low == b.value && b.high == b.value);
}

static void one_sample_gives_a_wide_one_sided_interval(void **state)
{
	struct estimate_sums s = {.samples = 1,
				  .bytes = 65536,
				  .bytes_variance = 65536.0 * 65536};
	struct estimate b = estimate_bytes(&s, 65536);

	assert_true(fabs(b.low / 65536 - 0.0253) < 0.001);
	assert_true(fabs(b.high / 65536 - 5.5716) < 0.001);
}

/* A thousand samples in windows: which times these are is chance, too, and how
 * much they stand for is known to a third. */
static void windows_widen_intervals(void **state)
{
	const double bytes = 1000 * 65536.0;
	struct estimate_sums s = {.samples = 1000,
				  .bytes = bytes,
				  .bytes_variance = bytes * 65536,
				  .objects = 1e6,
				  .objects_variance = 1e9};
	struct estimate b, o;

	(void)state;
	s.windows_variance = 0.04 * bytes * bytes;
	b = estimate_bytes(&s, 65536);
	o = estimate_objects(&s);
	assert_true(fabs((b.high - b.low) / 2 / b.value - 0.41) < 0.04);
	assert_true(fabs((o.high - o.low) / 2 / o.value - 0.41) < 0.04);
	s.windows_error = 0.33 * bytes;
	b = estimate_bytes(&s, 65536);
	assert_true(fabs((b.high - b.low) / 2 / b.value - 0.8) < 0.1);
	assert_true(b.low > 0 && b.value == bytes);
}

/* P(X <= n) of a Poisson variable. */
static double poisson_cdf(int n, double mean)
{
	double term = exp(-mean), sum = term;

	for (int i = 1; i <= n; i++)
		sum += term *= mean / i;
	return sum;
}

static void poisson_limits_leave_out_a_fortieth_each(void **state)
{
	for (int n = 0; n < 300; n++) {
		double low, high, below, above;

		poisson_limits(n, &low, &high);
		below = poisson_cdf(n, high);
		above = n ? 1 - poisson_cdf(n - 1, low) : 0.025;
		if (fabs(below - 0.025) > 3e-4 || fabs(above - 0.025) > 3e-4)
			fail_msg("n = %d: expected 0.025 on both sides, seen "
				 "%.5f and %.5f",
				 n, below, above);
	}
}

static void poisson_limits_grow_steadily_between_whole_numbers(void **state)
{
	double last_low = -1, last_high = 0;

	for (double n = 0; n < 30; n += 0.01) {
		double low, high;

		poisson_limits(n, &low, &high);
		assert_true(low >= last_low && high > last_high);
		assert_true(low <= n && n <= high);
		last_low = low;
		last_high = high;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_of_any_mixture_are_covered_and_unbiased),
		cmocka_unit_test(
			samples_of_two_intervals_are_covered_and_unbiased),
		cmocka_unit_test(objects_of_similar_size_are_covered),
		cmocka_unit_test(intervals_narrow_with_the_samples),
		cmocka_unit_test(exact_recording_has_no_margin),
		cmocka_unit_test(blocks_sampled_with_certainty_have_no_margin),
		cmocka_unit_test(windows_widen_intervals),
		cmocka_unit_test(one_sample_gives_a_wide_one_sided_interval),
		cmocka_unit_test(poisson_limits_leave_out_a_fortieth_each),
		cmocka_unit_test(
			poisson_limits_grow_steadily_between_whole_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
