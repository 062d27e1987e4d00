// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that is busy with blocks that live for some seconds (a random one
 * of SLOTS is replaced each time), and loses one beside every LOST_EVERY of
 * them, from another place. Each line it is given is answered with what it
 * holds, in bytes as requested, and what of it is lost:
 *
 *   {"live": 38400000, "lost": 2560}
 *
 * It ends with its input.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "target.h"

#define SLOTS	   200000
#define BLOCK_SIZE 128
#define LOST_EVERY 50
#define ROUNDS	   3000 /* of computation, some 12 us */

static void *slots[SLOTS];
static double sink;

SITE static void *make(void)
{
	void *p = malloc(BLOCK_SIZE);

	KEEP_FRAME();
	return p;
}

SITE static void lose(void)
{
	target_sink = malloc(BLOCK_SIZE);
	KEEP_FRAME();
}

static unsigned long next_random(unsigned long x)
{
	x ^= x << 13;
	x ^= x >> 7;
	return x ^ x << 17;
}

static void compute(void)
{
	double x = sink;

	for (int i = 0; i < ROUNDS; i++)
		x = x * 0.999999 + 1e-6;
	sink = x;
}

/* False: there is no more input. */
static bool answer(long lost)
{
	char line[64];

	if (read(STDIN_FILENO, line, sizeof(line)) <= 0)
		return false;
	dprintf(STDOUT_FILENO, "{\"live\": %ld, \"lost\": %ld}\n",
		(SLOTS + lost) * BLOCK_SIZE, lost * BLOCK_SIZE);
	return true;
}

int main(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned long random = 88172645463325252;
	long lost = 0;

	for (int i = 0; i < SLOTS; i++)
		slots[i] = make();
	target_ready();
	for (long units = 1;; units++) {
		void **slot = &slots[(random = next_random(random)) % SLOTS];

		compute();
		free(*slot);
		*slot = make();
		if (units % LOST_EVERY == 0) {
			lose();
			lost++;
		}
		if (units % 64 == 0 && poll(&input, 1, 0) > 0 && !answer(lost))
			return 0;
	}
}
