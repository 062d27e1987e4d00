/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A saturating churn: malloc+free pairs of mixed small sizes from several call
 * sites, some ten calls below the start of the thread. An operation is one
 * pair. The size mix resembles what general-purpose C and C++ programs
 * ask for: mostly below 128 bytes, mean about 100.
 */
#include "target.h"

#define NOINLINE __attribute__((noinline, noclone))
#define PAIRS	 64
#define HELD	 256 /* blocks alive at any time */

static void *held[HELD];
static unsigned int at;
static uint64_t random_state = 0x9e3779b97f4a7c15ULL;

static const unsigned short sizes[32] = {
	16, 24, 24, 32, 32, 32, 32, 40, 40, 48, 48, 48, 56,  64,  64,  64,
	72, 80, 80, 96, 96, 96, 112, 120, 128, 160, 192, 200, 256, 320, 400, 512,
};

static inline unsigned int next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state >> 32);
}

/* A site of its own: distinct return addresses into distinct functions. */
#define SITE(n)                                                                \
	NOINLINE static void *site_##n(unsigned int r)                         \
	{                                                                      \
		char *p = malloc(sizes[r & 31]);                               \
                                                                               \
		if (p)                                                         \
			*p = n;                                                \
		return p;                                                      \
	}
SITE(0) SITE(1) SITE(2) SITE(3) SITE(4) SITE(5) SITE(6) SITE(7)

NOINLINE static void *allocate(unsigned int r)
{
	void *p;

	switch (r >> 5 & 7) {
	case 0: p = site_0(r); break;
	case 1: p = site_1(r); break;
	case 2: p = site_2(r); break;
	case 3: p = site_3(r); break;
	case 4: p = site_4(r); break;
	case 5: p = site_5(r); break;
	case 6: p = site_6(r); break;
	default: p = site_7(r); break;
	}
	__asm__ volatile("" ::: "memory"); /* no tail call */
	return p;
}

NOINLINE static uint64_t pairs(void)
{
	for (int i = 0; i < PAIRS; i++) {
		unsigned int r = next_random();

		at = (at + 1 + (r >> 24 & 15)) % HELD;
		free(held[at]);
		held[at] = allocate(r);
	}
	return PAIRS;
}

/* Ordinary frames on the way down, of different sizes. */
#define LEVEL(n, next)                                                         \
	NOINLINE static uint64_t level_##n(void)                               \
	{                                                                      \
		volatile char room[16 * (n) + 8];                              \
		uint64_t done;                                                 \
                                                                               \
		room[0] = n;                                                   \
		done = next();                                                 \
		return done + room[0] - n;                                     \
	}
LEVEL(5, pairs)
LEVEL(4, level_5)
LEVEL(3, level_4)
LEVEL(2, level_3)
LEVEL(1, level_2)

static uint64_t batch(uint64_t setting)
{
	(void)setting;
	return level_1();
}

int main(void)
{
	return bench_main(batch, 0);
}
