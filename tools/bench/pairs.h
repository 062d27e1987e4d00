/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A malloc+free pair beside other work, for programs that allocate at a steady
 * rate. Functions of their own: they stand in call stacks.
 */
#ifndef BENCH_PAIRS_H
#define BENCH_PAIRS_H

#include "target.h"

#define NOINLINE __attribute__((noinline, noclone))

static volatile double sink;

static NOINLINE void other_work(int rounds)
{
	double x = sink;

	for (int i = 0; i < rounds; i++)
		x = x * 0.999999 + 1e-6;
	sink = x;
}

static NOINLINE void pair(size_t size)
{
	char *p = malloc(size);

	if (p)
		*p = 1;
	free(p);
	__asm__ volatile("" ::: "memory"); /* no tail call */
}

#endif
