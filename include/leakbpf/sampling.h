/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Byte-proportional sampling in integer arithmetic, used by the BPF programs
 * and tested in user space.
 *
 * Sample points form a Poisson process over the bytes allocated, R bytes apart
 * on average; a block of S bytes is sampled if a point falls into it:
 * P = 1 - exp(-S/R). Each sampled block then stands for 1/P blocks and S/P
 * bytes, which is unbiased block by block (jemalloc's doc_internal on
 * profiling shows what goes wrong otherwise). What makes it exact here: the
 * weight uses the very 32-bit threshold that the random number was compared
 * with, so the approximation of exp costs no bias, only a hair of variance.
 */
#ifndef LEAKBPF_SAMPLING_H
#define LEAKBPF_SAMPLING_H

/* Intervals above this are refused (keeps S << 32 within 64 bits). */
#define SAMPLING_INTERVAL_MAX (64ULL << 20)
/* First interval when exact recording has to be given up. */
#define SAMPLING_INTERVAL_MIN 64ULL

/* 2^32 * 2^(-i/64), i = 0..64 */
static const __u32 sampling_exp2[65] = {
	4294967295u, 4248701965u, 4202935003u, 4157661043u, 4112874773u,
	4068570940u, 4024744348u, 3981389855u, 3938502376u, 3896076880u,
	3854108391u, 3812591987u, 3771522796u, 3730896002u, 3690706840u,
	3650950594u, 3611622603u, 3572718252u, 3534232978u, 3496162267u,
	3458501653u, 3421246719u, 3384393094u, 3347936457u, 3311872529u,
	3276197082u, 3240905930u, 3205994934u, 3171459999u, 3137297074u,
	3103502151u, 3070071267u, 3037000500u, 3004285971u, 2971923842u,
	2939910317u, 2908241642u, 2876914102u, 2845924021u, 2815267765u,
	2784941738u, 2754942382u, 2725266179u, 2695909648u, 2666869345u,
	2638141863u, 2609723834u, 2581611923u, 2553802834u, 2526293303u,
	2499080105u, 2472160047u, 2445529972u, 2419186755u, 2393127307u,
	2367348571u, 2341847524u, 2316621173u, 2291666561u, 2266980759u,
	2242560872u, 2218404036u, 2194507417u, 2170868212u, 2147483648u,
};

/* x in 2^-32; returns 2^32 * (1 - exp(-x)) for x < 2^28 (1/16) by the series
 * x - x^2/2 + x^3/6; the error is below x^4/24 < 7e-7. */
static inline __u64 sampling_small(__u64 x)
{
	__u64 x2 = x * x >> 32;
	__u64 x3 = x2 * x >> 32;

	return x - x2 / 2 + x3 / 6;
}

/*
 * P * 2^32 for a block of `size` bytes, at least 1; 0 stands for P = 1.
 * A size of 0 counts as 1 byte, so that such blocks are seen at all.
 */
static inline __u32 sampling_threshold(__u64 size, __u64 interval)
{
	__u64 x, y, index, low, high, power, p;

	if (!interval)
		return 0;
	if (!size)
		size = 1;
	if (size >= interval * 22) /* 1 - P < 2^-31 */
		return 0;
	x = (size << 32) / interval;
	if (x < 1ULL << 28) {
		p = sampling_small(x);
		return p ? (__u32)p : 1;
	}
	/* exp(-x) = 2^-(x log2 e): integer part shifts, fraction by table. */
	y = (x >> 8) * 24204406ULL >> 24; /* log2(e) * 2^24, y in 2^-24 */
	index = y >> 18 & 63;
	low = sampling_exp2[index];
	high = sampling_exp2[index + 1];
	power = low - ((low - high) * (y & 0x3ffff) >> 18);
	p = (1ULL << 32) - (power >> (y >> 24));
	return p > 0xffffffffULL ? 0 : (__u32)p;
}

/* P of a block that is looked at only with probability share / 2^32. */
static inline __u32 sampling_observed(__u32 threshold, __u32 share)
{
	__u64 p = threshold ? threshold : 1ULL << 32;

	if (!share)
		return threshold;
	p = p * share >> 32;
	return p ? (__u32)p : 1;
}

/* False for certain when random/2^32 >= size/interval >= P: the cheap test
 * that spares nearly all small blocks the division. */
static inline int sampling_maybe(__u64 size, __u64 interval, __u32 random)
{
	return size >= interval || random * interval <= (size ? size : 1) << 32;
}

/* Blocks this sample stands for, in 1/256; rounded, as cutting off would bias
 * weights near 1 by a fifth of a per cent. */
static inline __u64 sampling_objects_q8(__u32 threshold)
{
	return threshold ? ((1ULL << 40) + threshold / 2) / threshold : 256;
}

/* Bytes this sample stands for. */
static inline __u64 sampling_bytes(__u64 size, __u32 threshold)
{
	__u64 quotient, rest;

	if (!threshold)
		return size;
	if (size < 1ULL << 32)
		return (size << 32) / threshold;
	quotient = size / threshold;
	rest = size % threshold;
	return (quotient << 32) + ((rest << 32) / threshold);
}

/* (1-P) (size/P)^2 in (1 << shift)^2 bytes^2. */
static inline __u64 sampling_bytes_variance(__u64 size, __u32 threshold,
					    __u32 shift)
{
	__u64 weight, miss_q16;

	if (!threshold)
		return 0;
	weight = sampling_bytes(size, threshold) >> (shift & 63);
	miss_q16 = ((1ULL << 32) - threshold) >> 16;
	if (weight >> 24)
		return ~0ULL >> 16;
	return (weight * weight * miss_q16) >> 16;
}

/* (1-P) / P^2 in 1/16. */
static inline __u64 sampling_objects_variance_q4(__u32 threshold)
{
	__u64 inverse_q8, miss_q16;

	if (!threshold)
		return 0;
	inverse_q8 = (1ULL << 40) / threshold;
	miss_q16 = ((1ULL << 32) - threshold) >> 16;
	if (inverse_q8 >> 24) /* 1/P above 2^16: keep within 64 bits */
		return (inverse_q8 >> 8) * (inverse_q8 >> 8) * 16;
	return (inverse_q8 * inverse_q8 >> 12) * miss_q16 >> 16;
}

#endif
