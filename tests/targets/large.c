// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server that is busy with small blocks, some 400,000 a second, and now and
 * then keeps a large one: five a second, in turn allocated, allocated as
 * zeroes, allocated for alignment, and grown by realloc. As many are allocated
 * and freed again. Each line it is given is answered with what it keeps:
 *
 *   {"function": bytes, ...}
 *
 * It ends with its input. With the argument "churn" it also maps and unmaps a
 * block in every unit of work; with "heap" none are mapped; with "frees" none
 * are kept.
 */
#include <malloc.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define SMALL	    96
#define BLOCKS	    4
#define ROUNDS	    1500 /* of computation, some 6 us */
#define LARGE	    (1 << 20)
#define PER_SECOND  5
#define NS_PER_TURN (1000000000LL / PER_SECOND)

static double sink;
static long kept[4];

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
}

SITE static void serve(void)
{
	void *blocks[BLOCKS];
	double x = sink;

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(SMALL);
	for (int i = 0; i < ROUNDS; i++)
		x = x * 0.999999 + 1e-6;
	sink = x;
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	KEEP_FRAME();
}

SITE static void keep_allocated(void)
{
	target_sink = memset(malloc(LARGE), 1, LARGE);
	kept[0] += LARGE;
}

SITE static void keep_zeroed(void)
{
	target_sink = memset(calloc(1, LARGE), 1, LARGE);
	kept[1] += LARGE;
}

SITE static void keep_aligned(void)
{
	void *p = NULL;

	EXPECT(!posix_memalign(&p, 64, LARGE));
	target_sink = memset(p, 1, LARGE);
	kept[2] += LARGE;
}

SITE static void keep_grown(void)
{
	char *p = malloc(LARGE / 4);

	memset(p, 1, LARGE / 4);
	p = realloc(p, LARGE);
	target_sink = memset(p, 1, LARGE);
	kept[3] += LARGE;
}

/* glibc maps no blocks as large as one that was freed: a small one of them. */
SITE static void use_and_free(void)
{
	char *p = malloc(LARGE / 5);

	memset(p, 1, LARGE / 5);
	free(p);
	KEEP_FRAME();
}

/* False: there is no more input. */
static bool obey(void)
{
	char line[64];

	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return false;
	dprintf(STDOUT_FILENO,
		"{\"keep_allocated\": %ld, \"keep_zeroed\": %ld, "
		"\"keep_aligned\": %ld, \"keep_grown\": %ld}\n",
		kept[0], kept[1], kept[2], kept[3]);
	return true;
}

SITE static void churn(void)
{
	target_sink = malloc(LARGE);
	free(target_sink);
	KEEP_FRAME();
}

SITE static void run(bool churns, bool keeps)
{
	static void (*const turns[])(void) = {keep_allocated, keep_zeroed,
					      keep_aligned, keep_grown};
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	long long due = now_ns();

	for (long units = 0, turn = 0;; units++) {
		serve();
		if (churns)
			churn();
		if (units % 64)
			continue;
		if (now_ns() >= due) {
			if (keeps)
				turns[turn++ % 4]();
			use_and_free();
			due += NS_PER_TURN;
		}
		if (poll(&input, 1, 0) > 0 && !obey())
			return;
	}
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	bool churns = !strcmp(how, "churn");

	/* Or it would go up with the first large block that is freed. */
	if (churns)
		mallopt(M_MMAP_THRESHOLD, LARGE / 8);
	if (!strcmp(how, "heap"))
		mallopt(M_MMAP_MAX, 0);
	target_ready();
	run(churns, strcmp(how, "frees") != 0);
	return 0;
}
