/* SPDX-License-Identifier: GPL-2.0-only */
/* How long threads had a CPU and waited for one, on threads of our own. */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "target/run_delay.h"

#define SPIN_NS	 200000000ULL
#define SPINNERS 2

static struct run_delay of(pid_t pid, unsigned threads)
{
	struct run_delay sum = {0};

	run_delay_add(pid, &sum, &threads);
	return sum;
}

static void *spin(void *cpu)
{
	uint64_t end = monotonic_ns() + SPIN_NS;

	if (cpu)
		sched_setaffinity(0, sizeof(cpu_set_t), cpu);
	while (monotonic_ns() < end)
		;
	return NULL;
}

/* Before anything is measured: a thread that has just begun has not been
 * counted yet. Skips the test where the kernel does not tell. */
static struct run_delay of_ours(void)
{
	struct run_delay sum;

	spin(NULL);
	sum = of(getpid(), 8);
	if (!(sum.ran_ns > 0))
		skip();
	return sum;
}

static void what_spins_has_run_or_waited(void **state)
{
	struct run_delay before, after;
	double ready;

	(void)state;
	before = of_ours();
	spin(NULL);
	after = of(getpid(), 8);
	ready = after.ran_ns + after.waited_ns - before.ran_ns -
		before.waited_ns;
	if (ready < SPIN_NS / 2.0 || ready > SPIN_NS * 4.0)
		fail_msg("expected some %g ns, got %g", (double)SPIN_NS, ready);
}

/* On one CPU. They count while they live. */
static void two_that_share_a_cpu_wait(void **state)
{
	struct run_delay before, after;
	pthread_t threads[SPINNERS];
	uint64_t end;
	cpu_set_t one;

	(void)state;
	before = of_ours();
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	for (int i = 0; i < SPINNERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, spin, &one),
				 0);
	end = monotonic_ns() + SPIN_NS * 3 / 4;
	while (monotonic_ns() < end)
		usleep(1000);
	after = of(getpid(), 8);
	for (int i = 0; i < SPINNERS; i++)
		pthread_join(threads[i], NULL);
	assert_true(after.waited_ns - before.waited_ns > SPIN_NS / 10.0);
}

static void no_more_threads_than_asked_for(void **state)
{
	struct run_delay sum = {0};
	unsigned threads = 0;

	(void)state;
	run_delay_add(getpid(), &sum, &threads);
	assert_true(sum.ran_ns == 0 && sum.waited_ns == 0);
	threads = 8;
	run_delay_add(getpid(), &sum, &threads);
	assert_int_equal(threads, 7);
}

static void a_process_that_is_not_there_adds_nothing(void **state)
{
	struct run_delay sum = {.ran_ns = 1, .waited_ns = 2};
	unsigned threads = 3;

	(void)state;
	run_delay_add(0x7ffffff0, &sum, &threads);
	assert_true(sum.ran_ns == 1 && sum.waited_ns == 2);
	assert_int_equal(threads, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_spins_has_run_or_waited),
		cmocka_unit_test(two_that_share_a_cpu_wait),
		cmocka_unit_test(no_more_threads_than_asked_for),
		cmocka_unit_test(a_process_that_is_not_there_adds_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
