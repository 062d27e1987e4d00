// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handler that allocates while its own thread is in the middle of an
 * allocation: the outer call's return address has been replaced by the kernel
 * when a return probe is on it. The allocator is the program's own, so that
 * this is well defined.
 */
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

#include "target.h"

void *je_malloc(size_t size);
void *je_calloc(size_t count, size_t size);
void *je_realloc(void *old, size_t size);
void je_free(void *block);
int je_mallctl(const char *name, void *old, size_t *old_size, void *new,
	       size_t new_size);

static char heap[1 << 20] __attribute__((aligned(16)));
static size_t used;
static bool interrupt;

__attribute__((noinline, noclone)) void *je_malloc(size_t size)
{
	void *p;

	if (interrupt) {
		interrupt = false;
		raise(SIGUSR1);
	}
	p = heap + used;
	used += (size + 15) & ~(size_t)15;
	KEEP_FRAME();
	return used <= sizeof(heap) ? p : NULL;
}

__attribute__((noinline, noclone)) void *je_calloc(size_t count, size_t size)
{
	return je_malloc(count * size);
}

__attribute__((noinline, noclone)) void *je_realloc(void *old, size_t size)
{
	return je_malloc(size);
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

SITE static void leak_in_handler(void)
{
	target_sink = je_malloc(123);
	KEEP_FRAME();
}

static void handler(int number)
{
	leak_in_handler();
	KEEP_FRAME();
}

SITE static void leak_interrupted(void)
{
	interrupt = true;
	target_sink = je_malloc(321);
	KEEP_FRAME();
}

int main(void)
{
	struct sigaction action = {.sa_handler = handler};

	sigaction(SIGUSR1, &action, NULL);
	target_ready();
	for (int i = 0; i < 20; i++)
		leak_interrupted();
	truth("leak_interrupted;main", 20 * 321, 20);
	truth("leak_in_handler;handler", 20 * 123, 20);
	return target_done();
}
