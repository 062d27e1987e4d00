// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls that never return: out of an allocation function by longjmp, by
 * setcontext, by the end of the thread. The allocator is the program's own (a
 * bump allocator under jemalloc's prefix), so that the escape happens in the
 * middle of it, each time, and breaks nothing.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "target.h"

enum escape { STAY, JUMP, SWITCH, EXIT_THREAD };

void *je_malloc(size_t size);
void *je_calloc(size_t count, size_t size);
void *je_realloc(void *old, size_t size);
void je_free(void *block);
int je_mallctl(const char *name, void *old, size_t *old_size, void *new,
	       size_t new_size);

static char heap[1 << 20] __attribute__((aligned(16)));
static size_t used;
static enum escape how;
static jmp_buf back;
static ucontext_t context;

__attribute__((noinline, noclone)) void *je_malloc(size_t size)
{
	void *p = heap + used;

	if (how == JUMP)
		longjmp(back, 1);
	if (how == SWITCH)
		setcontext(&context);
	if (how == EXIT_THREAD)
		syscall(SYS_exit, 0);
	used += (size + 15) & ~(size_t)15;
	return used <= sizeof(heap) ? p : NULL;
}

__attribute__((noinline, noclone)) void *je_calloc(size_t count, size_t size)
{
	void *p = je_malloc(count * size);

	KEEP_FRAME();
	return p;
}

__attribute__((noinline, noclone)) void *je_realloc(void *old, size_t size)
{
	void *p = je_malloc(size);

	KEEP_FRAME();
	return p;
}

__attribute__((noinline, noclone)) void je_free(void *block)
{
	target_sink = block;
}

__attribute__((noinline)) int je_mallctl(const char *name, void *old,
					 size_t *old_size, void *new,
					 size_t new_size)
{
	return 2;
}

SITE static void jump_out(void)
{
	how = JUMP;
	if (!setjmp(back))
		target_sink = je_malloc(111);
	how = STAY;
}

SITE static void switch_out(void)
{
	volatile bool left = false;

	getcontext(&context);
	if (!left) {
		left = true;
		how = SWITCH;
		target_sink = je_malloc(222);
	}
	how = STAY;
}

static void *end_inside(void *argument)
{
	target_sink = je_calloc(1, 333);
	return argument;
}

/* The raw system call: nothing of the C library cleans up, so this thread is
 * detached, and known to be gone when its id is. */
SITE static void end_thread(void)
{
	pthread_t thread;

	how = EXIT_THREAD;
	EXPECT(!pthread_create(&thread, NULL, end_inside, NULL));
	usleep(20 * 1000);
	pthread_detach(thread);
	how = STAY;
}

SITE static void leak_after(void)
{
	for (int i = 0; i < 10; i++)
		target_sink = je_malloc(64);
	target_sink = je_calloc(2, 50);
	je_free(je_malloc(1000));
	KEEP_FRAME();
}

int main(void)
{
	target_ready();
	for (int i = 0; i < 50; i++) {
		jump_out();
		switch_out();
		if (i % 5 == 0)
			end_thread();
		leak_after();
		truth("leak_after;main", 740, 11);
	}
	return target_done();
}
