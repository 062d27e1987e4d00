// SPDX-License-Identifier: GPL-2.0-only
/* A library to preload that passes allocations on to the next allocator, by
 * jumps through pointers. */
#include <dlfcn.h>
#include <stddef.h>

static void *(*next_malloc)(size_t);
static void *(*next_realloc)(void *, size_t);
static void (*next_free)(void *);

void *malloc(size_t size)
{
	if (!next_malloc)
		next_malloc = dlsym(RTLD_NEXT, "malloc");
	return next_malloc(size);
}

void *realloc(void *p, size_t size)
{
	if (!next_realloc)
		next_realloc = dlsym(RTLD_NEXT, "realloc");
	return next_realloc(p, size);
}

void free(void *p)
{
	if (!next_free)
		next_free = dlsym(RTLD_NEXT, "free");
	next_free(p);
}
