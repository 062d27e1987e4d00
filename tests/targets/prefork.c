// SPDX-License-Identifier: GPL-2.0-only
/*
 * A server that forks its workers and never calls exec: `prefork [WORKERS]`.
 * They wait for a while, in which whoever wants to may attach to them, leak a
 * known amount, and stay.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "target.h"

#define WORKERS_MAX 32
#define BLOCKS	    200
#define BLOCK_BYTES 3000

SITE static void leak_in_worker(void)
{
	for (int i = 0; i < BLOCKS; i++)
		target_sink = malloc(BLOCK_BYTES);
	KEEP_FRAME();
}

SITE static void run_worker(int done)
{
	usleep(1500 * 1000);
	leak_in_worker();
	EXPECT(write(done, "x", 1) == 1);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 3;
	pid_t workers[WORKERS_MAX];
	int done[2];
	char byte;

	target_ready();
	EXPECT(count > 0 && count <= WORKERS_MAX && !pipe(done));
	for (int i = 0; i < count; i++) {
		workers[i] = fork();
		if (!workers[i])
			run_worker(done[1]);
	}
	for (int i = 0; i < count; i++)
		EXPECT(read(done[0], &byte, 1) == 1);
	truth("leak_in_worker;run_worker;main",
	      (long)count * BLOCKS * BLOCK_BYTES, (long)count * BLOCKS);
	count = count <= WORKERS_MAX ? count : 0;
	target_done();
	for (int i = 0; i < count; i++)
		kill(workers[i], SIGKILL);
	return 0;
}
