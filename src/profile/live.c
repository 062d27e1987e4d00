/* SPDX-License-Identifier: GPL-2.0-only */
/* What is live of a stack, and how old it is. */
#include <math.h>
#include <string.h>

#include "profile/profile_internal.h"

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Adds up the cohorts that are old enough as a whole. */
static void sum_cohorts(const struct profile *p, const struct stack_stats *st,
			struct live_sums *out)
{
	const struct cohort_layout *l = &p->cohorts;
	uint64_t now = p->snapshot.now_ns;
	double aged = 0;

	for (uint32_t i = 0; i < l->count; i++) {
		uint32_t slot = l->slot[i] % COHORTS;
		double bytes = (double)st->cohort_bytes[slot];
		double objects = (double)st->cohort_objects_q8[slot] / 256;
		uint64_t start = larger(l->start_ns[i], st->first_alloc_ns);
		uint64_t end = i + 1 < l->count ? l->start_ns[i + 1] : now;

		if (seconds_before(now, end) < p->snapshot.older_seconds)
			break;
		/* A free may be booked to the neighbour, see cohorts.h. */
		if (bytes <= 0 && objects <= 0)
			continue;
		start = larger(start, p->snapshot.attached_ns);
		end = larger(start, smaller(end, st->last_alloc_ns));
		out->sums.bytes += bytes;
		out->sums.objects += objects;
		if (bytes <= 0)
			continue;
		aged += bytes *
			(seconds_before(now, start) +
			 seconds_before(now, end)) /
			2;
		if (out->oldest_seconds == 0)
			out->oldest_seconds = seconds_before(now, start);
	}
	if (out->sums.bytes > 0)
		out->mean_age_seconds = aged / out->sums.bytes;
}

static double positive_difference(uint64_t a, uint64_t b)
{
	return a > b ? (double)(a - b) : 0;
}

static double share(double part, double whole)
{
	if (!(whole > 0) || part >= whole)
		return 1;
	return part > 0 ? part / whole : 0;
}

/* The variances of the part are not known: they are taken to be spread like the
 * bytes and objects are. */
void live_sum(const struct profile *p, const struct stack_stats *st,
	      struct live_sums *out)
{
	double unit = ldexp(1, 2 * (int)p->snapshot.sampling.variance_shift);
	struct estimate_sums all = {
		.samples = positive_difference(st->alloc_samples,
					       st->freed_samples),
		.bytes = positive_difference(st->alloc_bytes, st->freed_bytes),
		.objects = positive_difference(st->alloc_objects_q8,
					       st->freed_objects_q8) /
			   256,
		.bytes_variance = (double)st->live_bytes_variance * unit,
		.objects_variance = (double)st->live_objects_variance_q4 / 16,
		.windows_variance = (double)st->windows_variance * unit,
		.windows_error = (double)st->windows_error_bytes,
	};

	memset(out, 0, sizeof(*out));
	sum_cohorts(p, st, out);
	if (p->snapshot.older_seconds > 0) {
		double bytes = share(out->sums.bytes, all.bytes);
		double objects = share(out->sums.objects, all.objects);

		all.bytes = out->sums.bytes;
		all.objects = out->sums.objects;
		all.samples = ceil(all.samples * objects);
		all.bytes_variance *= bytes;
		all.windows_variance *= bytes * bytes;
		all.windows_error *= bytes;
		all.objects_variance *= objects;
	}
	out->sums = all;
}
