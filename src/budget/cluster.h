/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far off chance may make what windows have seen. A window is a cluster of
 * samples: a call path that allocates in bursts is seen a lot in one and not at
 * all in others, however many of its blocks that are. Variance of a ratio
 * estimate from clusters (Cochran, Sampling Techniques, 1977, 9A.9): by how the
 * bytes of each window differ from what they would be at an even rate. Pure
 * arithmetic.
 */
#ifndef BUDGET_CLUSTER_H
#define BUDGET_CLUSTER_H

#include <stdint.h>

/* The windows of a process: seconds that each stands for. */
struct cluster_times {
	uint64_t count;
	double seconds, squares;
};

/* Of a call path: bytes that each window stands for. */
struct cluster_sums {
	double bytes, squares;
	double products; /* of bytes and seconds */
};

void cluster_add_time(struct cluster_times *t, double seconds);
/* In the window that was added last. */
void cluster_add(struct cluster_sums *s, double bytes, double seconds);
/* Of `bytes`, in bytes^2. One window tells of no other: its square. */
double cluster_variance(const struct cluster_sums *s,
			const struct cluster_times *t);

#endif
