// SPDX-License-Identifier: GPL-2.0-only
/* Memory that comes without any known allocator, for --growth: pages touched,
 * given back, moved, copied after fork. Nothing here calls malloc. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

#define PAGE	4096UL
#define HUGE	(2UL << 20)
#define ENTRIES 512

static char *map(size_t bytes)
{
	char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(p != MAP_FAILED);
	return p;
}

/* In the caller's own frame: it is the one who touches. */
#define TOUCH(p, pages)                                                        \
	do {                                                                   \
		volatile char *at_ = (p);                                      \
		for (size_t i_ = 0; i_ < (pages); i_++)                        \
			at_[i_ * PAGE] = 1;                                    \
	} while (0)

/* Pages of [p, +pages) that are held, as the kernel says. */
static long held(const char *p, size_t pages)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	static uint64_t entries[ENTRIES];
	long count = 0;

	EXPECT(fd >= 0 && pages <= ENTRIES);
	EXPECT(pread(fd, entries, pages * 8, (uintptr_t)p / PAGE * 8) ==
	       (ssize_t)pages * 8);
	for (size_t i = 0; i < pages; i++)
		count += entries[i] >> 63;
	close(fd);
	return count;
}

/* ---- An allocator of its own ------------------------------------------------
 */

static char *bump_at, *bump_end;

SITE static char *bump_map(size_t bytes)
{
	char *p;

	if (bump_at + bytes > bump_end) {
		bump_at = map(1 << 20);
		bump_end = bump_at + (1 << 20);
	}
	p = bump_at;
	bump_at += bytes;
	return p;
}

/* musl has no sbrk. */
static char *heap_end;

static void heap_set(char *end)
{
	heap_end = (char *)syscall(SYS_brk, end);
	EXPECT(!end || heap_end == end);
}

SITE static char *bump_brk(size_t bytes)
{
	char *p = heap_end;

	heap_set(p + bytes);
	return p;
}

SITE static void leak_mapped(void)
{
	TOUCH(bump_map(3 * PAGE), 3);
	truth("leak_mapped;run;main", 3 * PAGE, 3);
}

SITE static void leak_heap(void)
{
	TOUCH(bump_brk(2 * PAGE), 2);
	truth("leak_heap;run;main", 2 * PAGE, 2);
}

/* ---- What comes without a fault in user mode -------------------------------
 */

/* musl's functions have no unwind information. */
static inline long read_inlined(int fd, void *to, size_t size)
{
	long result = SYS_read;

	__asm__ volatile("syscall"
			 : "+a"(result)
			 : "D"(fd), "S"(to), "d"(size)
			 : "rcx", "r11", "memory");
	return result;
}

SITE static void fill_by_system_call(void)
{
	int fd = open("/dev/zero", O_RDONLY);

	EXPECT(read_inlined(fd, map(8 * PAGE), 8 * PAGE) == 8 * PAGE);
	close(fd);
	truth("fill_by_system_call;run;main", 8 * PAGE, 8);
}

SITE static void touch_huge(void)
{
	char *space = map(3 * HUGE);
	char *p = (char *)(((uintptr_t)space + HUGE - 1) & -HUGE);

	madvise(p, HUGE, MADV_HUGEPAGE);
	TOUCH(p + 5 * PAGE, 1);
	truth("touch_huge;run;main", held(p, HUGE / PAGE) * (long)PAGE, 1);
}

/* ---- What is given back -----------------------------------------------------
 */

SITE static void unmap_all(void)
{
	char *p = map(40 * PAGE);

	TOUCH(p, 40);
	EXPECT(!munmap(p, 40 * PAGE));
	truth("unmap_all;run;main", 0, 0);
}

SITE static void give_back_half(void)
{
	char *p = map(40 * PAGE);

	TOUCH(p, 40);
	EXPECT(!madvise(p + 10 * PAGE, 20 * PAGE, MADV_DONTNEED));
	truth("give_back_half;run;main", 20 * PAGE, 20);
}

SITE static void shrink_heap(void)
{
	TOUCH(bump_brk(16 * PAGE), 16);
	heap_set(heap_end - 12 * PAGE);
	truth("shrink_heap;run;main", 4 * PAGE, 4);
}

/* The same addresses, held for another. */
SITE static void touch_first(char *p)
{
	TOUCH(p, 30);
	truth("touch_first;run;main", 0, 0);
}

SITE static void touch_again(char *p)
{
	TOUCH(p, 30);
	truth("touch_again;run;main", 30 * PAGE, 30);
}

static char *map_at(char *p, size_t bytes)
{
	return mmap(p, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

/* ---- What moves -------------------------------------------------------------
 */

SITE static void touch_then_move(void)
{
	char *p = map(20 * PAGE), *moved;

	/* Its neighbour is in the way. */
	EXPECT(map_at(p + 10 * PAGE, PAGE) == p + 10 * PAGE);
	TOUCH(p, 10);
	moved = mremap(p, 10 * PAGE, 50 * PAGE, MREMAP_MAYMOVE);
	EXPECT(moved != MAP_FAILED && moved != p);
	target_sink = moved;
	truth("touch_then_move;run;main", 10 * PAGE, 10);
}

/* ---- What was held before ---------------------------------------------------
 */

static char *inherited;

SITE static void touch_before(void)
{
	inherited = map(32 * PAGE);
	TOUCH(inherited, 32);
}

SITE static void write_after_fork(void)
{
	pid_t child = fork();

	if (!child) {
		TOUCH(map(64 * PAGE), 64); /* the child's, not counted */
		for (;;)
			pause();
	}
	TOUCH(inherited, 32);
	truth("write_after_fork;run;main", 0, 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

SITE static void write_after_read(void)
{
	volatile char *p = map(16 * PAGE);

	for (size_t i = 0; i < 16; i++)
		EXPECT(!p[i * PAGE]);
	TOUCH(p, 16);
	truth("write_after_read;run;main", 16 * PAGE, 16);
}

SITE static void run(void)
{
	char *space = map(30 * PAGE);

	for (int i = 0; i < 200; i++) {
		leak_mapped();
		leak_heap();
	}
	fill_by_system_call();
	touch_huge();
	unmap_all();
	give_back_half();
	shrink_heap();
	touch_first(space);
	EXPECT(!munmap(space, 30 * PAGE));
	EXPECT(map_at(space, 30 * PAGE) == space);
	touch_again(space);
	touch_then_move();
	write_after_fork();
	write_after_read();
	KEEP_FRAME();
}

int main(void)
{
	heap_set(NULL);
	heap_set((char *)(((uintptr_t)heap_end + PAGE - 1) & -PAGE));
	touch_before();
	truth("leak_mapped;run;main", 0, 0);
	target_ready();
	run();
	return target_done();
}
