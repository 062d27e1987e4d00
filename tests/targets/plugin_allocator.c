// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loaded later, brings an allocator of its own under a prefix (je_), as
 * embedded allocators do, and leaks from it.
 */
#include <stddef.h>
#include <stdlib.h>

#define SITE __attribute__((noinline, noclone))

void *je_malloc(size_t size);
void *je_calloc(size_t count, size_t size);
void *je_realloc(void *old, size_t size);
void je_free(void *block);
int je_mallctl(const char *name, void *old, size_t *old_size, void *new,
	       size_t new_size);
void plugin_leak(void);
long plugin_bytes(void);
const char *plugin_chain(void);

static char heap[1 << 20] __attribute__((aligned(16)));
static size_t used;
static void *volatile sink;

SITE void *je_malloc(size_t size)
{
	size_t rounded = (size + 15) & ~(size_t)15;
	void *p = heap + used;

	if (rounded > sizeof(heap) - used)
		return NULL;
	used += rounded;
	return p;
}

SITE void *je_calloc(size_t count, size_t size)
{
	return je_malloc(count * size);
}

SITE void *je_realloc(void *old, size_t size)
{
	return je_malloc(size);
}

SITE void je_free(void *block)
{
	sink = block;
}

SITE int je_mallctl(const char *name, void *old, size_t *old_size, void *new,
		    size_t new_size)
{
	return 2;
}

SITE static void pool_allocate(void)
{
	for (int i = 0; i < 60; i++)
		sink = je_malloc(300);
	je_free(je_malloc(100));
}

SITE void plugin_leak(void)
{
	pool_allocate();
	__asm__ volatile("");
}

long plugin_bytes(void)
{
	return 60 * 300;
}

const char *plugin_chain(void)
{
	return "pool_allocate;plugin_leak;main";
}
