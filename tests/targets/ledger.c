// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps account of what it holds: `ledger THREADS`. Each line it is given is a
 * number of milliseconds; for so long its threads allocate, resize and free
 * blocks of all sizes, and keep a few for good. Then they rest, and it says
 * what is outstanding of all it has allocated since it was ready:
 *
 *   {"bytes": 123456, "blocks": 789}
 *
 * It ends with its input.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "target.h"

#define THREADS_MAX  16
#define PLACES	     256
#define SIZE_MAX_LOG 15
#define PAUSE_NS     20000000L /* per round of PLACES operations */
#define KEPT_SIZE    40

struct place {
	void *block;
	size_t size;
};

struct worker {
	pthread_t thread;
	unsigned seed;
	struct place places[PLACES];
	long bytes, blocks;
};

static struct worker workers[THREADS_MAX];
static pthread_barrier_t begin, end;
static volatile double until;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

SITE static void *allocate(struct worker *w, size_t size)
{
	void *block = NULL;

	switch (rand_r(&w->seed) % 4) {
	case 0:
		block = calloc(1, size);
		break;
	case 1:
		if (posix_memalign(&block, 64, size))
			block = NULL;
		break;
	default:
		block = malloc(size);
	}
	EXPECT(block);
	if (block)
		memset(block, 1, size < 64 ? size : 64);
	KEEP_FRAME();
	return block;
}

SITE static void resize(struct place *p, size_t size)
{
	void *block = realloc(p->block, size);

	EXPECT(block);
	p->block = block;
	KEEP_FRAME();
}

SITE static void keep(struct worker *w)
{
	target_sink = malloc(KEPT_SIZE);
	w->bytes += KEPT_SIZE;
	w->blocks++;
	KEEP_FRAME();
}

static void change(struct worker *w, struct place *p)
{
	size_t size = 1 + (size_t)rand_r(&w->seed) %
				  (1u << (rand_r(&w->seed) % SIZE_MAX_LOG));

	if (!p->block) {
		p->block = allocate(w, size);
		w->blocks++;
	} else if (rand_r(&w->seed) % 3) {
		free(p->block);
		w->bytes -= (long)p->size;
		w->blocks--;
		*p = (struct place){0};
		return;
	} else {
		resize(p, size);
		w->bytes -= (long)p->size;
	}
	p->size = size;
	w->bytes += (long)size;
}

static void *work(void *argument)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	struct worker *w = argument;

	for (;;) {
		pthread_barrier_wait(&begin);
		keep(w);
		while (now() < until) {
			for (int i = 0; i < PLACES; i++)
				change(w,
				       &w->places[rand_r(&w->seed) % PLACES]);
			nanosleep(&pause, NULL);
		}
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/* 0: its input has ended. stdio would allocate. */
static long read_number(void)
{
	long n = 0;
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1) {
		if (c == '\n')
			return n;
		if (c >= '0' && c <= '9')
			n = n * 10 + c - '0';
	}
	return 0;
}

static void tell(int threads)
{
	long bytes = 0, blocks = 0;
	char line[128];
	int n;

	for (int i = 0; i < threads; i++) {
		bytes += workers[i].bytes;
		blocks += workers[i].blocks;
	}
	n = snprintf(line, sizeof(line), "{\"bytes\": %ld, \"blocks\": %ld}\n",
		     bytes, blocks);
	EXPECT(write(STDOUT_FILENO, line, (size_t)n) == n);
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 2;
	long ms;

	if (threads < 1 || threads > THREADS_MAX)
		return 2;
	pthread_barrier_init(&begin, NULL, (unsigned)threads + 1);
	pthread_barrier_init(&end, NULL, (unsigned)threads + 1);
	for (int i = 0; i < threads; i++) {
		workers[i].seed = (unsigned)i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			return 2;
	}
	target_ready();
	while ((ms = read_number()) > 0) {
		until = now() + (double)ms / 1e3;
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		tell(threads);
	}
	return 0;
}
