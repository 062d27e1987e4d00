// SPDX-License-Identifier: GPL-2.0-only
/*
 * One leak per allocation function, and everything about their semantics that
 * a profiler can get wrong. `functions glibc` adds what only glibc does.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "target.h"

#define CHAIN(site) #site ";run;main"

SITE static void leak_malloc(void)
{
	for (int i = 0; i < 10; i++)
		target_sink = malloc(100);
	truth(CHAIN(leak_malloc), 1000, 10);
}

SITE static void leak_calloc(void)
{
	target_sink = calloc(7, 30);
	truth(CHAIN(leak_calloc), 210, 1);
}

SITE static void leak_realloc(void)
{
	void *p = realloc(OPAQUE((void *)NULL), 50);

	for (size_t n = 100; n <= 100000; n *= 10)
		p = realloc(p, n);
	target_sink = p;
	truth(CHAIN(leak_realloc), 100000, 1);
}

SITE static void *first_owner(void)
{
	void *p = malloc(40);

	KEEP_FRAME();
	return p;
}

/* What grows a block owns it. */
SITE static void leak_grown(void)
{
	target_sink = realloc(first_owner(), 4000);
	truth(CHAIN(leak_grown), 4000, 1);
}

/* The block survives a realloc that fails, and stays with its first owner. */
SITE static void leak_realloc_failed(void)
{
	void *p = malloc(321);
	void *q = realloc(p, OPAQUE((size_t)1 << 62));

	EXPECT(p && !q && errno == ENOMEM);
	target_sink = p;
	truth(CHAIN(leak_realloc_failed), 321, 1);
}

/* A failed realloc must not lose the block for good: it is freed later. */
SITE static void free_after_failed_realloc(void)
{
	void *p = malloc(111);

	EXPECT(!realloc(p, OPAQUE((size_t)1 << 62)));
	free(p);
}

SITE static void leak_posix_memalign(void)
{
	void *p = NULL;

	EXPECT(!posix_memalign(&p, 256, 777) && p);
	target_sink = p;
	EXPECT(posix_memalign(&p, 3, 10) == EINVAL);
	EXPECT(posix_memalign(&p, 64, OPAQUE((size_t)1 << 62)) == ENOMEM);
	truth(CHAIN(leak_posix_memalign), 777, 1);
}

SITE static void leak_aligned_alloc(void)
{
	target_sink = aligned_alloc(64, 640);
	truth(CHAIN(leak_aligned_alloc), 640, 1);
}

SITE static void leak_memalign(void)
{
	target_sink = memalign(128, 555);
	truth(CHAIN(leak_memalign), 555, 1);
}

/* Whoever passes a size of 0 gets a block all the same; it costs no bytes. */
SITE static void leak_zero_size(void)
{
	target_sink = malloc(OPAQUE((size_t)0));
	EXPECT(target_sink);
}

SITE static void fail_malloc(void)
{
	EXPECT(!malloc(OPAQUE((size_t)1 << 60)));
	KEEP_FRAME();
}

/* 2^32 * 2^32 + a bit is a small number in 64 bits. */
SITE static void fail_calloc_overflow(void)
{
	EXPECT(!calloc(OPAQUE((size_t)1 << 32), ((size_t)1 << 32) + 1));
	EXPECT(!calloc(OPAQUE((size_t)1 << 63), 2));
	KEEP_FRAME();
}

SITE static void free_null(void)
{
	for (int i = 0; i < 100; i++)
		free(OPAQUE((void *)NULL));
}

/* Allocated and freed in every way: nothing of it is outstanding. */
SITE static void balanced(void)
{
	void *p = NULL;

	free(malloc(1000));
	free(calloc(10, 100));
	free(realloc(malloc(10), 100000));
	EXPECT(!posix_memalign(&p, 64, 3000));
	free(p);
	free(aligned_alloc(32, 320));
	free(memalign(4096, 100));
}

/* The same addresses again and again: each free must be matched. */
SITE static void churn(void)
{
	for (int i = 0; i < 20000; i++) {
		void *p = malloc(64 + (size_t)i % 7 * 100);

		target_sink = p;
		free(p);
	}
}

#ifdef __GLIBC__
SITE static void leak_reallocarray(void)
{
	void *p = reallocarray(NULL, 11, 10);

	EXPECT(!reallocarray(p, OPAQUE((size_t)1 << 33), (size_t)1 << 33));
	target_sink = reallocarray(p, 22, 10);
	truth(CHAIN(leak_reallocarray), 220, 1);
}

SITE static void leak_valloc(void)
{
	target_sink = valloc(5000);
	truth(CHAIN(leak_valloc), 5000, 1);
}

/* A size that the allocator need not round up to pages. */
SITE static void leak_pvalloc(void)
{
	target_sink = pvalloc(2 * 4096);
	truth(CHAIN(leak_pvalloc), 2 * 4096, 1);
}

/* glibc: frees and returns NULL. That is no failure. */
SITE static void realloc_to_zero(void)
{
	void *p = malloc(5678);

	EXPECT(!realloc(p, OPAQUE((size_t)0)));
	KEEP_FRAME();
}
#endif

SITE static void leak_strdup(void)
{
	target_sink = strdup("sixteen letters.");
	truth(CHAIN(leak_strdup), 17, 1);
}

SITE static void leak_strndup(void)
{
	target_sink = strndup(OPAQUE((const char *)"sixteen letters."), 7);
	truth(CHAIN(leak_strndup), 8, 1);
}

SITE static void run(void)
{
	leak_malloc();
	leak_calloc();
	leak_realloc();
	leak_grown();
	leak_realloc_failed();
	free_after_failed_realloc();
	leak_posix_memalign();
	leak_aligned_alloc();
	leak_memalign();
	leak_zero_size();
	fail_malloc();
	fail_calloc_overflow();
	free_null();
	balanced();
	churn();
#ifdef __GLIBC__
	leak_reallocarray();
	leak_valloc();
	leak_pvalloc();
#endif
	leak_strdup();
	leak_strndup();
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	target_ready();
	run();
#ifdef __GLIBC__
	if (argc > 1 && !strcmp(argv[1], "glibc"))
		realloc_to_zero();
#endif
	return target_done();
}
