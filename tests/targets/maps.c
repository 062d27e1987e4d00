// SPDX-License-Identifier: GPL-2.0-only
/* Leaks of mapped memory, for --mmap: partial unmaps, moves, failures. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "target.h"

#define PAGE 4096L

static char *map(size_t pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	return p;
}

SITE static void leak_whole(void)
{
	char *p = mmap(NULL, 10 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	target_sink = p;
	truth("leak_whole;run;main", 10 * PAGE, 1);
}

/* Head, tail and middle go: what is left counts. */
SITE static void leak_partly(void)
{
	char *p = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	EXPECT(!munmap(p, 2 * PAGE));
	EXPECT(!munmap(p + 17 * PAGE, 3 * PAGE));
	EXPECT(!munmap(p + 8 * PAGE, 4 * PAGE));
	target_sink = p;
	truth("leak_partly;run;main", 11 * PAGE, 2);
}

/* One munmap over two mappings. */
SITE static void unmap_two(void)
{
	char *space = mmap(NULL, 16 * PAGE, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *one, *two;

	EXPECT(space != MAP_FAILED);
	EXPECT(!munmap(space, 16 * PAGE));
	one = mmap(space, 8 * PAGE, PROT_READ,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	two = mmap(space + 8 * PAGE, 8 * PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	EXPECT(one == space && two == space + 8 * PAGE);
	EXPECT(!munmap(space, 16 * PAGE));
}

/* A fixed mapping replaces what was there. */
SITE static void leak_replaced(void)
{
	char *p = mmap(NULL, 6 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(mmap(p, 6 * PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	target_sink = p;
	truth("leak_replaced;run;main", 6 * PAGE, 1);
}

SITE static char *map_first(void)
{
	char *p = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	truth("map_first;leak_moved;run;main", 4 * PAGE, 1);
	return p;
}

/* Moved and grown: who grows a mapping owns what came to it. */
SITE static void leak_moved(void)
{
	char *p = mremap(map_first(), 4 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);

	EXPECT(p != MAP_FAILED);
	target_sink = p;
	truth("leak_moved;run;main", 36 * PAGE, 1);
}

SITE static void failures(void)
{
	EXPECT(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
	       MAP_FAILED);
	EXPECT(mmap(NULL, (size_t)1 << 60, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
	EXPECT(munmap((void *)1, PAGE) == -1);
	EXPECT(mremap(NULL, PAGE, 2 * PAGE, 0) == MAP_FAILED);
}

SITE static void balanced(void)
{
	for (int i = 0; i < 100; i++) {
		char *p = map(5);

		EXPECT(!munmap(p, 5 * PAGE));
	}
}

/* A block so big that malloc maps it: counted as malloc's, not twice. */
SITE static void leak_big_malloc(void)
{
	target_sink = malloc(4 << 20);
	truth("leak_big_malloc;run;main", 4 << 20, 1);
}

SITE static void run(void)
{
	leak_whole();
	leak_partly();
	unmap_two();
	leak_replaced();
	leak_moved();
	failures();
	balanced();
	leak_big_malloc();
	KEEP_FRAME();
}

int main(void)
{
	target_ready();
	run();
	return target_done();
}
