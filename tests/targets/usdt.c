/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A program that samples its allocations itself, and tells of that by the USDT
 * probes of OpenTelemetry's provider otel_memory: usdt INTERVAL. An exponential
 * distance of INTERVAL bytes between samples on average; weights are samples
 * times interval, as that proposal has them.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _SDT_HAS_SEMAPHORES 1
#define SEMAPHORE	    __attribute__((section(".probes"), used))
SEMAPHORE unsigned short otel_memory_alloc_semaphore;
SEMAPHORE unsigned short otel_memory_free_semaphore;
#include <sys/sdt.h>

#include "target.h"

#define KEPT   20000
#define SIZE   1000
#define LARGE  (1 << 20)
#define LARGES 32

struct header {
	uint64_t sampled;
	uint64_t padding;
};

static double interval, left;
static uint64_t random_state = 88172645463325252ULL;

static double exponential(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return -log(((random_state >> 11) + 0.5) / 9007199254740992.0) *
	       interval;
}

SITE void *sampled_malloc(size_t size)
{
	struct header *h = malloc(sizeof(*h) + size);
	uint64_t samples = 0;

	h->sampled = 0;
	for (left -= (double)size; left < 0; left += exponential())
		samples++;
	if (samples && otel_memory_alloc_semaphore) {
		uint64_t weight = samples * (uint64_t)interval;

		h->sampled = 1;
		DTRACE_PROBE3(otel_memory, alloc, h + 1, size, weight);
	}
	KEEP_FRAME();
	return h + 1;
}

SITE void sampled_free(void *p)
{
	struct header *h = (struct header *)p - 1;

	if (h->sampled)
		DTRACE_PROBE1(otel_memory, free, p);
	free(h);
	KEEP_FRAME();
}

SITE void keep_small(void)
{
	for (int i = 0; i < KEPT; i++) {
		target_sink = sampled_malloc(SIZE);
		truth("sampled_malloc;keep_small;main", SIZE, 1);
	}
	KEEP_FRAME();
}

SITE void keep_large(void)
{
	for (int i = 0; i < LARGES; i++) {
		target_sink = sampled_malloc(LARGE);
		truth("sampled_malloc;keep_large;main", LARGE, 1);
	}
	KEEP_FRAME();
}

SITE void churn(void)
{
	void *blocks[100];

	for (int round = 0; round < 500; round++) {
		for (int i = 0; i < 100; i++)
			blocks[i] = sampled_malloc(SIZE);
		for (int i = 0; i < 100; i++)
			sampled_free(blocks[i]);
	}
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	interval = argc > 1 ? atof(argv[1]) : 65536;
	left = exponential();
	target_ready();
	keep_small();
	churn();
	keep_large();
	return target_done();
}
