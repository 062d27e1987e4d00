// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks that cross threads, threads that end in the middle of a call.
 *
 *   threads handover   one thread allocates, another frees all but some
 *   threads cancel     threads are cancelled while they allocate
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target.h"

#define BLOCKS 5000
#define PAIRS  4

struct queue {
	_Atomic(void *) slots[BLOCKS];
};

static struct queue queues[PAIRS];

SITE static void *produce_block(size_t size)
{
	void *p = malloc(size);

	KEEP_FRAME();
	return p;
}

static void *producer(void *argument)
{
	struct queue *q = argument;

	for (size_t i = 0; i < BLOCKS; i++)
		atomic_store(&q->slots[i], produce_block(32 + i % 5 * 16));
	return NULL;
}

/* Frees what the producer made, but keeps every 100th. */
static void *consumer(void *argument)
{
	struct queue *q = argument;

	for (size_t i = 0; i < BLOCKS; i++) {
		void *p;

		while (!(p = atomic_load(&q->slots[i])))
			;
		if (i % 100 == 0)
			target_sink = p;
		else
			free(p);
	}
	return NULL;
}

SITE static void run_handover(void)
{
	pthread_t threads[2 * PAIRS];

	for (size_t i = 0; i < PAIRS; i++) {
		EXPECT(!pthread_create(&threads[2 * i], NULL, producer,
				       &queues[i]));
		EXPECT(!pthread_create(&threads[2 * i + 1], NULL, consumer,
				       &queues[i]));
	}
	for (size_t i = 0; i < 2 * PAIRS; i++)
		pthread_join(threads[i], NULL);
	for (size_t i = 0; i < BLOCKS; i += 100)
		truth("produce_block;producer", PAIRS * (32 + (long)i % 5 * 16),
		      PAIRS);
}

SITE static void leak_after(void)
{
	for (int i = 0; i < 100; i++)
		target_sink = malloc(70);
	KEEP_FRAME();
}

static void *allocate_for_ever(void *argument)
{
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	for (;;) {
		void *p = malloc(48);

		KEEP_FRAME();
		free(p);
		pthread_testcancel();
	}
	return argument;
}

/*
 * Asynchronous cancellation inside malloc is undefined for the allocator, so
 * what the program does afterwards uses memory that it never shared: only the
 * profiler's state must survive.
 */
SITE static void run_cancel(void)
{
	for (int i = 0; i < 20; i++) {
		pthread_t thread;

		EXPECT(!pthread_create(&thread, NULL, allocate_for_ever, NULL));
		usleep(2000);
		pthread_cancel(thread);
		pthread_join(thread, NULL);
	}
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "handover";

	target_ready();
	if (!strcmp(scenario, "handover"))
		run_handover();
	else if (!strcmp(scenario, "cancel"))
		run_cancel();
	leak_after();
	truth("leak_after;main", 7000, 100);
	return target_done();
}
