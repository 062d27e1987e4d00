// SPDX-License-Identifier: GPL-2.0-only
/*
 * Load for statistical and limit tests.
 *
 *   load sizes            three leaks of known volume among balanced churn
 *   load blocks N SIZE    N outstanding blocks of one stack
 *   load stacks BITS      2^BITS different stacks, one block each
 *   load service          leaks 64 bytes every ms beside churn, until told to
 *                         end; prints `alive` when it does
 */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

SITE static void leak_small(void)
{
	target_sink = malloc(48);
	KEEP_FRAME();
}

SITE static void leak_medium(void)
{
	target_sink = malloc(3000);
	KEEP_FRAME();
}

SITE static void leak_large(void)
{
	target_sink = malloc(200000);
	KEEP_FRAME();
}

SITE static void churn(uint32_t i)
{
	void *p = malloc(16 + i % 97 * 13);

	target_sink = p;
	free(p);
}

SITE static void run_sizes(void)
{
	for (uint32_t i = 0; i < 400000; i++) {
		leak_small();
		churn(i);
		if (i % 50 == 0)
			leak_medium();
		if (i % 4000 == 0)
			leak_large();
	}
	truth("leak_small;run_sizes;main", 400000L * 48, 400000);
	truth("leak_medium;run_sizes;main", 8000L * 3000, 8000);
	truth("leak_large;run_sizes;main", 100L * 200000, 100);
}

SITE static void run_blocks(long count, long size)
{
	for (long i = 0; i < count; i++)
		target_sink = malloc((size_t)size);
	truth("run_blocks;main", count * size, count);
}

SITE static void left(unsigned path, int bits);

SITE static void right(unsigned path, int bits)
{
	if (!bits)
		target_sink = malloc(100);
	else if (path & 1)
		right(path >> 1, bits - 1);
	else
		left(path >> 1, bits - 1);
	KEEP_FRAME();
}

SITE static void left(unsigned path, int bits)
{
	if (!bits)
		target_sink = malloc(100);
	else if (path & 1)
		right(path >> 1, bits - 1);
	else
		left(path >> 1, bits - 1);
	KEEP_FRAME();
}

SITE static void run_stacks(int bits)
{
	for (unsigned path = 0; path < 1u << bits; path++)
		left(path, bits);
	truth("*;run_stacks;main", 100L << bits, 1L << bits);
}

SITE static void leak_slowly(void)
{
	target_sink = malloc(64);
	KEEP_FRAME();
}

static bool told_to_end(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) == 1;
}

SITE static void run_service(void)
{
	const struct timespec pause = {.tv_nsec = 1000 * 1000};

	for (uint32_t i = 0; !told_to_end(); i++) {
		for (uint32_t k = 0; k < 50; k++)
			churn(i + k);
		leak_slowly();
		truth("leak_slowly;run_service;main", 64, 1);
		nanosleep(&pause, NULL);
	}
	target_wait();
	target_say("state", "alive");
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "sizes";

	target_ready();
	if (!strcmp(scenario, "sizes"))
		run_sizes();
	else if (!strcmp(scenario, "blocks") && argc > 3)
		run_blocks(atol(argv[2]), atol(argv[3]));
	else if (!strcmp(scenario, "stacks") && argc > 2)
		run_stacks(atoi(argv[2]));
	else if (!strcmp(scenario, "service"))
		run_service();
	return target_done();
}
