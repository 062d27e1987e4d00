/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Holds `set N` blocks of mixed small sizes, allocated through 64 call paths;
 * an operation is one block. Never frees.
 */
#include "target.h"

#define NOINLINE __attribute__((noinline, noclone))

static void *volatile last;

#define SITE(n)                                                                \
	NOINLINE static void site_##n(unsigned int r)                          \
	{                                                                      \
		last = malloc(16 + (r >> 8 & 127));                            \
	}
SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)

static void (*const sites[8])(unsigned int) = {
	site_0, site_1, site_2, site_3, site_4, site_5, site_6, site_7,
};

#define CALLER(n)                                                              \
	NOINLINE static void caller_##n(unsigned int r)                        \
	{                                                                      \
		sites[r & 7](r);                                               \
		__asm__ volatile("" ::: "memory"); /* no tail call */          \
	}
CALLER(0) CALLER(1) CALLER(2) CALLER(3) CALLER(4) CALLER(5) CALLER(6) CALLER(7)

static void (*const callers[8])(unsigned int) = {
	caller_0, caller_1, caller_2, caller_3,
	caller_4, caller_5, caller_6, caller_7,
};

static uint64_t batch(uint64_t wanted)
{
	static uint64_t done;
	static unsigned int random_state = 1;
	uint64_t start = done;

	if (done >= wanted)
		usleep(1000);
	while (done < wanted && done - start < 64) {
		random_state = random_state * 1664525u + 1013904223u;
		callers[random_state >> 28 & 7](random_state >> 8);
		done++;
	}
	return done - start;
}

int main(void)
{
	return bench_main(batch, 0);
}
