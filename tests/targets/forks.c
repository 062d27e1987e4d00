// SPDX-License-Identifier: GPL-2.0-only
/*
 * Children: `forks fork|vfork|clone|exec|spawn`.
 *
 * fork     the child has its own copy: what it frees or leaks is not the
 *          parent's affair
 * vfork, clone   CLONE_VM: the child frees its parent's blocks
 * exec     the process becomes another program: `forks exec PROGRAM ARGS...`
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define BLOCKS 200

static void *blocks[BLOCKS];

SITE static void allocate_blocks(void)
{
	for (int i = 0; i < BLOCKS; i++)
		blocks[i] = malloc(500);
	truth("allocate_blocks;main", BLOCKS * 500, BLOCKS);
}

SITE static void free_half(void)
{
	for (int i = 0; i < BLOCKS / 2; i++) {
		free(blocks[i]);
		blocks[i] = NULL;
	}
}

SITE static void leak_in_child(void)
{
	for (int i = 0; i < 1000; i++)
		target_sink = malloc(3000);
	KEEP_FRAME();
}

static void reap(pid_t child)
{
	int status = -1;

	EXPECT(child > 0);
	EXPECT(waitpid(child, &status, __WALL) == child);
	EXPECT(WIFEXITED(status) && !WEXITSTATUS(status));
}

SITE static void run_fork(void)
{
	pid_t child = fork();

	if (!child) {
		free_half();
		leak_in_child();
		_exit(0);
	}
	reap(child);
}

/*
 * More than POSIX allows a vfork child. The profiler leaves it alone for a
 * while, because nearly all of them execute a program at once.
 */
SITE static void run_vfork(void)
{
	pid_t child = vfork();

	if (!child) {
		usleep(1000 * 1000);
		free_half();
		_exit(0);
	}
	reap(child);
	truth("allocate_blocks;main", -(BLOCKS / 2 * 500), -(BLOCKS / 2));
}

static int shared_child(void *argument)
{
	usleep(1000 * 1000);
	free_half();
	return 0;
}

SITE static void run_clone(void)
{
	static char stack[256 * 1024] __attribute__((aligned(16)));
	int child = clone(shared_child, stack + sizeof(stack),
			  CLONE_VM | SIGCHLD, NULL);

	reap(child);
	truth("allocate_blocks;main", -(BLOCKS / 2 * 500), -(BLOCKS / 2));
}

int main(int argc, char **argv)
{
	const char *scenario = argc > 1 ? argv[1] : "fork";

	target_ready();
	allocate_blocks();
	if (!strcmp(scenario, "fork"))
		run_fork();
	else if (!strcmp(scenario, "vfork"))
		run_vfork();
	else if (!strcmp(scenario, "clone"))
		run_clone();
	else if (!strcmp(scenario, "exec") && argc > 2)
		execv(argv[2], argv + 2);
	return target_done();
}
