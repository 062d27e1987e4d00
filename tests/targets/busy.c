// SPDX-License-Identifier: GPL-2.0-only
/*
 * A program that is busy: units of work, each some computation, four blocks
 * that are freed at once, and in every hundredth one that is kept for good.
 * Each line it is given sets its pace ("slow": 250 units a second, "flat": as
 * many as there is time for, "large": 2,000 units of blocks that are all
 * sampled, of which one in 30 keeps one) and is answered with what it has done
 * so far, and in how many seconds of its CPU time:
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

#define BLOCKS	    4
#define BLOCK_SIZE  96
#define KEPT_SIZE   256
#define KEPT_EVERY  100
#define ROUNDS	    1500 /* of computation, some 6 us */
#define SLOW_US	    4000
#define LARGE_SIZE  65536
#define LARGE_NS    500000
#define LARGE_KEPT  30
#define LARGE_DEPTH 40

enum pace { SLOW, FLAT, LARGE };

static double sink;
static long kept;

static double cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

SITE static void use_and_free(size_t size)
{
	void *blocks[BLOCKS];

	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(size);
	for (int i = 0; i < BLOCKS; i++)
		free(blocks[i]);
	KEEP_FRAME();
}

SITE static void keep(size_t size)
{
	target_sink = malloc(size);
	kept += (long)size;
	KEEP_FRAME();
}

/* As deep as programs are where samples are expensive. */
SITE static void deeper(int frames)
{
	if (frames)
		deeper(frames - 1);
	else
		use_and_free(LARGE_SIZE);
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
static bool obey(enum pace *pace, long units)
{
	char line[64];
	ssize_t got = read(STDIN_FILENO, line, sizeof(line));

	if (got <= 0)
		return false;
	*pace = *line == 's' ? SLOW : *line == 'f' ? FLAT : LARGE;
	dprintf(STDOUT_FILENO,
		"{\"units\": %ld, \"kept\": %ld, \"seconds\": %.6f}\n", units,
		kept, cpu_seconds());
	return true;
}

/* At an even rate, also on a machine with other things to do. */
static void rest(enum pace pace)
{
	static struct timespec due;
	struct timespec now;

	if (pace == SLOW)
		usleep(SLOW_US);
	if (pace != LARGE)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec > due.tv_sec + 1)
		due = now;
	due.tv_nsec += LARGE_NS;
	if (due.tv_nsec >= 1000000000) {
		due.tv_sec++;
		due.tv_nsec -= 1000000000;
	}
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
}

SITE static void run(void)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	enum pace pace = SLOW;

	for (long units = 1;; units++) {
		bool large = pace == LARGE;

		compute();
		if (large)
			deeper(LARGE_DEPTH);
		else
			use_and_free(BLOCK_SIZE);
		if (units % (large ? LARGE_KEPT : KEPT_EVERY) == 0)
			keep(large ? LARGE_SIZE : KEPT_SIZE);
		rest(pace);
		if ((pace != FLAT || units % 64 == 0) &&
		    poll(&input, 1, 0) > 0 && !obey(&pace, units))
			return;
	}
}

int main(void)
{
	target_ready();
	run();
	return 0;
}
