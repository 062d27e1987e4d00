/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Known truth for the estimates: 48 call paths leak a known number of bytes
 * each (16 paths per amount), in mixed sizes, interleaved, beside blocks that
 * are freed again. Started by the first command on standard input; prints a
 * line "<path function> <bytes> <blocks>" per path when done.
 */
#include "target.h"

#define NOINLINE __attribute__((noinline, noclone))
#define PATHS	 48

static const uint64_t amounts[3] = {64 << 10, 1 << 20, 8 << 20};
static uint64_t leaked[PATHS], blocks[PATHS];
static uint64_t random_state = 88172645463325252ULL;
static void *volatile sink;

static unsigned int next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned int)(random_state >> 32);
}

/* 16 bytes to 2 KiB, small ones more often; mean about 300. */
static size_t mixed_size(void)
{
	unsigned int r = next_random();

	return 16 + (r & ((16u << (r >> 29)) - 1));
}

#define PATH(n)                                                                \
	NOINLINE void leak_##n(size_t size)                                    \
	{                                                                      \
		sink = malloc(size);                                           \
	}
#define PATHS_8(X, t) X(t##0) X(t##1) X(t##2) X(t##3) X(t##4) X(t##5) X(t##6) X(t##7)
#define ALL_PATHS(X)                                                           \
	PATHS_8(X, 0) PATHS_8(X, 1) PATHS_8(X, 2)                              \
	PATHS_8(X, 3) PATHS_8(X, 4) PATHS_8(X, 5)
ALL_PATHS(PATH)

static const struct {
	const char *name;
	void (*leak)(size_t size);
} paths[PATHS] = {
#define ENTRY(n) {"leak_" #n, leak_##n},
	ALL_PATHS(ENTRY)
};

/* Every round gives each path the same share of its amount. */
static void leak_all(void)
{
	const unsigned int rounds = 64;

	for (unsigned int round = 1; round <= rounds; round++) {
		for (int i = 0; i < PATHS; i++) {
			uint64_t goal = amounts[i % 3] * round / rounds;

			while (leaked[i] < goal) {
				size_t size = mixed_size();

				sink = malloc(size); /* churn beside the leak */
				free(sink);
				paths[i].leak(size);
				leaked[i] += size;
				blocks[i]++;
			}
		}
	}
}

int main(void)
{
	char line[16];

	if (!fgets(line, sizeof(line), stdin))
		return 1;
	leak_all();
	for (int i = 0; i < PATHS; i++)
		printf("%s %llu %llu\n", paths[i].name,
		       (unsigned long long)leaked[i],
		       (unsigned long long)blocks[i]);
	printf("done\n");
	fflush(stdout);
	/* Stay until standard input ends. */
	while (fgets(line, sizeof(line), stdin))
		;
	return 0;
}
