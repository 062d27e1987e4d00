// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that is busy: units of work, each some computation, four blocks
 * that are freed at once, and in every hundredth one that is kept for good.
 * Each line it is given sets its pace ("slow": 250 units a second, "flat": as
 * many as there is time for) and is answered with what it has done so far, and
 * in how many seconds of its CPU time:
 *
 *   {"units": 1000, "kept": 2560, "seconds": 1.5}
 *
 * It ends with its input.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define BLOCKS	   4
#define BLOCK_SIZE 96
#define KEPT_SIZE  256
#define KEPT_EVERY 100
#define ROUNDS	   1500 /* of computation, some 6 us */
#define SLOW_US	   4000

static double sink;

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

SITE static void use_and_free(void)
{
	void *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(BLOCK_SIZE);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	KEEP_FRAME();
}

SITE static void keep(void)
{
	target_sink = malloc(KEPT_SIZE);
	KEEP_FRAME();
}

SITE static void compute(void)
{
	double x = sink;

	for (int i = 0; i < ROUNDS; i++)
		x = x * 0.999999 + 1e-6;
	sink = x;
	KEEP_FRAME();
}

/* False: there is no more input. */
static bool obey(bool *slow, long units)
{
	char line[64];
	ssize_t got = read(STDIN_FILENO, line, sizeof(line));

	if (got <= 0)
		return false;
	*slow = !strncmp(line, "slow", 4);
	dprintf(STDOUT_FILENO,
		"{\"units\": %ld, \"kept\": %ld, \"seconds\": %.6f}\n", units,
		units / KEPT_EVERY * KEPT_SIZE, cpu_seconds());
	return true;
}

SITE static void run(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	bool slow = true;

	for (long units = 1;; units++) {
		compute();
		use_and_free();
		if (units % KEPT_EVERY == 0)
			keep();
		if (slow)
			usleep(SLOW_US);
		if ((slow || units % 64 == 0) && poll(&input, 1, 0) > 0 &&
		    !obey(&slow, units))
			return;
	}
}

int main(void)
{
	target_ready();
	run();
	return 0;
}
