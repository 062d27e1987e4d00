// SPDX-License-Identifier: GPL-2.0-only
/* Which pages this very process holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/pagemap.h"

#define PAGE  PAGEMAP_PAGE_BYTES
#define PAGES 1500 /* more than are read at once */

static char *map_pages(size_t count)
{
	char *p = mmap(NULL, count * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(p, MAP_FAILED);
	/* Pages of its own, whatever the machine's settings are. */
	madvise(p, count * PAGE, MADV_NOHUGEPAGE);
	return p;
}

static uint64_t address_of(const char *p, size_t page)
{
	return (uint64_t)(uintptr_t)p + page * PAGE;
}

static void what_was_given_back_is_gone(void **state)
{
	static uint64_t addresses[PAGES];
	int fd = pagemap_open(getpid());
	char *p = map_pages(PAGES);
	ssize_t gone;

	assert_true(fd >= 0);
	for (size_t i = 0; i < PAGES; i++) {
		p[i * PAGE] = 1;
		addresses[i] = address_of(p, i);
	}
	assert_int_equal(pagemap_gone(fd, addresses, PAGES), 0);
	madvise(p + 100 * PAGE, 3 * PAGE, MADV_DONTNEED);
	munmap(p + 1400 * PAGE, 100 * PAGE);
	gone = pagemap_gone(fd, addresses, PAGES);
	assert_int_equal(gone, 103);
	for (size_t i = 0; i < 103; i++)
		assert_int_equal(addresses[i],
				 address_of(p, i < 3 ? 100 + i : 1397 + i));
	munmap(p, 1400 * PAGE);
	close(fd);
}

/* Neither was ever held. */
static void untouched_pages_and_pages_of_files_are_not_held(void **state)
{
	int fd = pagemap_open(getpid()),
	    file = open("/proc/self/exe", O_RDONLY);
	volatile char *mapped =
		mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, file, 0);
	char *p = map_pages(2);
	uint64_t one[1] = {(uint64_t)(uintptr_t)mapped};
	uint64_t two[2] = {address_of(p, 0), address_of(p, 1)};

	assert_true(fd >= 0 && file >= 0);
	(void)*mapped;
	assert_int_equal(pagemap_gone(fd, one, 1), 1);
	p[PAGE] = 1;
	assert_int_equal(pagemap_gone(fd, two, 2), 1);
	assert_int_equal(two[0], address_of(p, 0));
	munmap(p, 2 * PAGE);
	munmap((void *)mapped, PAGE);
	close(file);
	close(fd);
}

static void a_page_shared_after_fork_is_held(void **state)
{
	char *p = map_pages(1);
	uint64_t address = address_of(p, 0);
	int fd = pagemap_open(getpid());
	pid_t child;

	*p = 1;
	child = fork();
	if (!child) {
		pause();
		_exit(0);
	}
	assert_int_equal(pagemap_gone(fd, &address, 1), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	munmap(p, PAGE);
	close(fd);
}

static void an_ended_process_says_nothing(void **state)
{
	uint64_t address = 4096;
	pid_t child = fork();
	int fd;

	if (!child) {
		pause();
		_exit(0);
	}
	fd = pagemap_open(child);
	assert_true(fd >= 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_int_equal(pagemap_gone(fd, &address, 1), -ESRCH);
	close(fd);
	assert_int_equal(pagemap_open(child), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_given_back_is_gone),
		cmocka_unit_test(
			untouched_pages_and_pages_of_files_are_not_held),
		cmocka_unit_test(a_page_shared_after_fork_is_held),
		cmocka_unit_test(an_ended_process_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
