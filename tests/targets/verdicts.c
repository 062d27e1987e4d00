// SPDX-License-Identifier: GPL-2.0-only
/*
 * Call paths that all grow at first, of which one leaks: a table made at the
 * start, a cache that is full after 4 s, batches that are dropped every 6 s,
 * and a leak of 1 KiB/s, beside 50,000 allocations a second that are freed at
 * once, or 500 with the argument `quiet`. With the argument `maps` no call path
 * leaks, but resident memory grows by 1 MiB/s that is not from malloc. Runs
 * until it is told to end.
 */
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define TICK_MS	      10
#define TICKS	      (1000 / TICK_MS) /* per second */
#define TABLE_BLOCKS  2048
#define CACHE_BLOCKS  2000
#define BATCH_BLOCKS  1200
#define BATCH_PERIOD  6
#define CHURN_PER_SEC 50000
#define QUIET_PER_SEC 500

static void *cache[CACHE_BLOCKS];
static void *batch[BATCH_BLOCKS];

SITE static void load_table(void)
{
	for (int i = 0; i < TABLE_BLOCKS; i++)
		target_sink = malloc(512);
	truth("load_table;run;main", TABLE_BLOCKS * 512L, TABLE_BLOCKS);
}

SITE static void cache_insert(uint32_t i)
{
	free(cache[i % CACHE_BLOCKS]);
	cache[i % CACHE_BLOCKS] = malloc(1024);
	KEEP_FRAME();
}

SITE static void batch_add(uint32_t at)
{
	batch[at] = malloc(1000);
	KEEP_FRAME();
}

SITE static void batch_drop(uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		free(batch[i]);
}

SITE static void leak_slowly(void)
{
	target_sink = malloc(256);
	KEEP_FRAME();
}

SITE static void churn(uint32_t i)
{
	void *p = malloc(16 + i % 97);

	target_sink = p;
	free(p);
}

static bool told_to_end(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

	return poll(&in, 1, 0) == 1;
}

static void grow_by_maps(void)
{
	const size_t size = 1 << 18;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	memset(p, 1, size);
	truth("mapped", (long)size, 1);
}

/* What the program was told to be. */
struct kind {
	bool maps;
	uint32_t churn; /* per second */
};

static void tick(uint32_t n, const struct kind *k)
{
	static uint32_t inserted, batched;
	const uint32_t per_tick = BATCH_BLOCKS / (BATCH_PERIOD * TICKS);

	for (uint32_t i = 0; i < k->churn / TICKS; i++)
		churn(n + i);
	for (uint32_t i = 0; i < CACHE_BLOCKS / 4 / TICKS; i++)
		cache_insert(inserted++);
	for (uint32_t i = 0; i < per_tick; i++)
		batch_add(batched++);
	if (batched == BATCH_BLOCKS) {
		batch_drop(batched);
		batched = 0;
	}
	if (n % (TICKS / 4) == 0 && k->maps) {
		grow_by_maps();
	} else if (n % (TICKS / 4) == 0) {
		leak_slowly();
		truth("leak_slowly;run;main", 256, 1);
	}
}

SITE static void run(const struct kind *k)
{
	struct timespec next;

	load_table();
	clock_gettime(CLOCK_MONOTONIC, &next);
	for (uint32_t n = 0; !told_to_end(); n++) {
		tick(n, k);
		next.tv_nsec += TICK_MS * 1000000L;
		next.tv_sec += next.tv_nsec / 1000000000L;
		next.tv_nsec %= 1000000000L;
		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
	}
	target_wait();
}

int main(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";
	const struct kind kind = {
		.maps = !strcmp(word, "maps"),
		.churn = strcmp(word, "quiet") ? CHURN_PER_SEC : QUIET_PER_SEC,
	};

	target_ready();
	run(&kind);
	return target_done();
}
