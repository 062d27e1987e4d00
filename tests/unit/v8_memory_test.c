/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "v8/memory.h"

#define PAGE 4096

/* The child that is read: a page of known bytes, then nothing. */
struct child {
	pid_t pid;
	uint8_t *page;
	struct v8_memory memory;
};

static int setup(void **state)
{
	static struct child c;

	c.page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(c.page, MAP_FAILED);
	munmap(c.page + PAGE, PAGE);
	for (size_t i = 0; i < PAGE; i++)
		c.page[i] = (uint8_t)(i * 7);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (!c.pid) {
		pause();
		_exit(0);
	}
	memset(c.page, 0, PAGE); /* so that it is the child's bytes we see */
	assert_int_equal(v8_memory_open(&c.memory, c.pid), 0);
	*state = &c;
	return 0;
}

static int end_child(struct child *c)
{
	if (c->pid <= 0)
		return 0;
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	c->pid = 0;
	return 0;
}

static int teardown(void **state)
{
	struct child *c = *state;

	end_child(c);
	v8_memory_close(&c->memory);
	return munmap(c->page, PAGE);
}

static uint64_t at(const struct child *c, size_t offset)
{
	return (uint64_t)(uintptr_t)c->page + offset;
}

static void reads_what_the_process_holds(void **state)
{
	struct child *c = *state;
	uint64_t word, expected = 0;
	uint8_t bytes[PAGE];
	uint32_t half;

	assert_int_equal(v8_read(&c->memory, at(c, 0), bytes, PAGE), 0);
	for (size_t i = 0; i < PAGE; i++)
		assert_int_equal(bytes[i], (uint8_t)(i * 7));
	assert_int_equal(v8_read_word(&c->memory, at(c, 9), &word), 0);
	memcpy(&expected, bytes + 9, 8);
	assert_int_equal(word, expected);
	assert_int_equal(v8_read_u32(&c->memory, at(c, PAGE - 4), &half), 0);
	assert_memory_equal(&half, bytes + PAGE - 4, 4);
}

static void refuses_what_is_not_all_there(void **state)
{
	struct child *c = *state;
	uint64_t word;

	assert_int_equal(v8_read_word(&c->memory, at(c, PAGE - 4), &word),
			 -EFAULT);
	assert_int_equal(v8_read_word(&c->memory, at(c, PAGE), &word), -EFAULT);
	assert_int_equal(v8_read_word(&c->memory, 0, &word), -EFAULT);
	assert_int_equal(v8_read_word(&c->memory, UINT64_MAX - 3, &word),
			 -EFAULT);
	assert_int_equal(v8_read_word(&c->memory, 1ULL << 63, &word), -EFAULT);
}

static void a_request_ends_with_its_budget(void **state)
{
	struct child *c = *state;
	static uint8_t much[V8_REQUEST_BYTES + 1];
	uint32_t value, reads = 0;

	v8_memory_begin(&c->memory);
	assert_int_equal(v8_read(&c->memory, at(c, 0), much, sizeof(much)),
			 -E2BIG);
	while (v8_read_u32(&c->memory, at(c, 0), &value) == 0)
		reads++;
	assert_int_equal(reads, V8_REQUEST_READS);
	assert_int_equal(v8_read_u32(&c->memory, at(c, 0), &value), -E2BIG);
	v8_memory_begin(&c->memory);
	assert_int_equal(v8_read_u32(&c->memory, at(c, 0), &value), 0);
}

/* Bytes of failed reads count too: they have cost as much. */
static void failed_reads_count(void **state)
{
	struct child *c = *state;
	uint8_t bytes[2 * PAGE];

	v8_memory_begin(&c->memory);
	c->memory.bytes_left = sizeof(bytes) + 1;
	assert_int_equal(v8_read(&c->memory, at(c, 0), bytes, sizeof(bytes)),
			 -EFAULT);
	assert_int_equal(v8_read(&c->memory, at(c, 0), bytes, 2), -E2BIG);
	assert_int_equal(c->memory.reads_left, V8_REQUEST_READS - 1);
}

static void a_process_that_ended_cannot_be_read(void **state)
{
	struct child *c = *state;
	struct v8_memory none;
	uint64_t word;
	int gone = c->pid;

	end_child(c);
	assert_int_equal(v8_read_word(&c->memory, at(c, 0), &word), -EFAULT);
	assert_int_equal(v8_memory_open(&none, gone), -ENOENT);
	assert_int_equal(v8_read_word(&none, at(c, 0), &word), -E2BIG);
	v8_memory_begin(&none);
	assert_int_equal(v8_read_word(&none, at(c, 0), &word), -EFAULT);
	v8_memory_close(&none);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reads_what_the_process_holds),
		TEST(refuses_what_is_not_all_there),
		TEST(a_request_ends_with_its_budget),
		TEST(failed_reads_count),
		TEST(a_process_that_ended_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
