// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many processes of one program that allocate and free:
 * `crowd WORKERS [PAUSE [LEAK]]`. The workers (forked, and the first process is
 * none of them) replace blocks from the start, in bursts with PAUSE
 * microseconds between them, and lose one of LEAK bytes in each. At the first
 * line they free what they have, keep 10 + N % 7 blocks of 100 bytes (worker
 * N), and the truth is said.
 */
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define WORKERS_MAX 1024
#define BLOCK_BYTES 100
#define HELD	    300
#define BURST	    50

static pid_t workers[WORKERS_MAX];
static volatile sig_atomic_t told;
static long *leaked; /* objects, by all: in shared memory */

static void be_told(int number)
{
	told = 1;
}

static int kept_by(int worker)
{
	return 10 + worker % 7;
}

SITE static void *take_block(void)
{
	void *p = malloc(BLOCK_BYTES);

	KEEP_FRAME();
	return p;
}

/* Whatever is held was born at some time, and dies at some time. */
static void replace_some(void **blocks)
{
	static unsigned next;

	for (int i = 0; i < BURST; i++) {
		unsigned at = next++ * 7919u % HELD;

		free(blocks[at]);
		blocks[at] = NULL;
		blocks[at] = realloc(take_block(), BLOCK_BYTES + 1);
	}
}

SITE static void leak_one(size_t size)
{
	target_sink = malloc(size);
	__atomic_fetch_add(leaked, 1, __ATOMIC_RELAXED);
}

static void drop_all(void **blocks)
{
	for (int i = 0; i < HELD; i++) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

SITE static void keep_some(int worker)
{
	for (int i = 0; i < kept_by(worker); i++)
		target_sink = take_block();
	KEEP_FRAME();
}

static void run_worker(int worker, int pause_us, size_t leak, int done)
{
	static void *blocks[HELD];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!told) {
		replace_some(blocks);
		if (leak)
			leak_one(leak);
		usleep((useconds_t)pause_us);
	}
	drop_all(blocks);
	keep_some(worker);
	EXPECT(write(done, "x", 1) == 1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3;
	int pause_us = argc > 2 ? atoi(argv[2]) : 100 * 1000;
	size_t leak = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;
	int done[2];
	long objects = 0;
	char byte;

	EXPECT(count > 0 && count <= WORKERS_MAX && !pipe(done));
	leaked = mmap(NULL, sizeof(*leaked), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	EXPECT(leaked != MAP_FAILED);
	signal(SIGUSR1, be_told);
	for (int i = 0; i < count; i++) {
		workers[i] = fork();
		if (!workers[i])
			run_worker(i, pause_us, leak, done[1]);
	}
	target_ready();
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGUSR1);
	for (int i = 0; i < count; i++) {
		EXPECT(read(done[0], &byte, 1) == 1);
		objects += kept_by(i);
	}
	truth("take_block;keep_some;run_worker;main", objects * BLOCK_BYTES,
	      objects);
	truth("leak_one;run_worker;main", *leaked * (long)leak, *leaked);
	target_done();
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGKILL);
	while (wait(NULL) > 0)
		;
	return 0;
}
