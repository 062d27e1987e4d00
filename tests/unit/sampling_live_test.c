/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sampling that changes while a process is traced: the estimates of a real
 * process of known truth stay unbiased, through finer and coarser intervals,
 * and its books are balanced when everything is freed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "leakbpf/abi_user.h"
#include "trace/tracer.h"

#define BLOCKS	    20000
#define BLOCK_BYTES 400
#define COARSE	    16384
#define FINE	    1024
/* A true estimate is farther off once in two million runs. */
#define ERRORS_MAX 5.0

struct traced {
	struct object_registry *objects;
	struct tracer *tracer;
	struct process process;
	pid_t pid;
	int to_child, from_child;
};

/* ---- The process: a command is one byte, answered when it is done -------- */

static void *volatile blocks[3][BLOCKS];

static void child(int in, int out)
{
	char command;

	while (read(in, &command, 1) == 1) {
		void *volatile *set = blocks[(command | 0x20) - 'a'];
		bool take = command >= 'a';

		for (int i = 0; i < BLOCKS; i++) {
			if (take)
				set[i] = malloc(BLOCK_BYTES);
			else
				free(set[i]);
		}
		if (write(out, &command, 1) != 1)
			break;
	}
	_exit(0);
}

/* "a" to "c": allocates a set; "A" to "C": frees it. */
static void tell(struct traced *t, char command)
{
	char done = 0;

	assert_int_equal(write(t->to_child, &command, 1), 1);
	assert_int_equal(read(t->from_child, &done, 1), 1);
	assert_int_equal(done, command);
	assert_true(tracer_poll(t->tracer, 0) >= 0);
}

static void start_child(struct traced *t)
{
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	t->pid = fork();
	if (!t->pid) {
		close(to[1]);
		child(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	t->to_child = to[1];
	t->from_child = from[0];
}

static int set_up(void **state)
{
	struct traced *t = calloc(1, sizeof(*t));
	struct tracer_options options = {
		.sample_bytes = COARSE,
		.max_memory = 64u << 20,
	};
	struct kernel_features features;
	char missing[256];
	int err;

	*state = t;
	if (!t)
		return -1;
	if (features_missing_capabilities(missing, sizeof(missing)))
		return 0;
	t->objects = object_registry_new();
	start_child(t);
	if (features_probe(&features, NULL) ||
	    tracer_new(&options, &features, t->objects, &t->tracer) ||
	    process_open(&t->process, t->pid, &err) != PROCESS_OK)
		return -1;
	return tracer_attach(t->tracer, &t->process);
}

static int tear_down(void **state)
{
	struct traced *t = *state;

	if (t->pid) {
		tracer_free(t->tracer);
		close(t->to_child);
		close(t->from_child);
		kill(t->pid, SIGKILL);
		waitpid(t->pid, NULL, 0);
		process_close(&t->process);
		object_registry_free(t->objects);
	}
	free(t);
	return 0;
}

/* ---- What is seen of it -------------------------------------------------- */

struct seen {
	double bytes, variance, samples;
};

static void add(uint32_t id, const struct stack_frames *frames,
		const struct stack_stats *s, void *context)
{
	struct seen *seen = context;

	seen->bytes += (double)s->alloc_bytes - (double)s->freed_bytes;
	seen->variance += (double)s->live_bytes_variance;
	seen->samples += (double)(s->alloc_samples - s->freed_samples);
}

static struct seen look(struct traced *t)
{
	struct tracer_status status;
	struct seen seen = {0};

	tracer_each_stack(t->tracer, add, &seen);
	tracer_status(t->tracer, &status);
	seen.variance *= ldexp(1, 2 * (int)status.sampling.variance_shift);
	return seen;
}

/* `sets` of blocks are outstanding, of which `coarse` and `fine` were sampled
 * at those intervals. */
static void assert_outstanding(struct traced *t, const char *when, int coarse,
			       int fine)
{
	double truth = (double)(coarse + fine) * BLOCKS * BLOCK_BYTES;
	/* Of small blocks: a sample stands for R bytes. */
	double variance =
		(double)BLOCKS * BLOCK_BYTES * (coarse * COARSE + fine * FINE);
	struct seen s = look(t);

	print_message("  %s: %.0f bytes (%.0f samples, standard error %.0f), "
		      "true %.0f\n",
		      when, s.bytes, s.samples, sqrt(s.variance), truth);
	if (!(fabs(s.bytes - truth) <= ERRORS_MAX * sqrt(variance)))
		fail_msg("%s: expected %.0f bytes +- %.0f, seen %.0f", when,
			 truth, ERRORS_MAX * sqrt(variance), s.bytes);
	/* Itself an estimate, from some 490 samples or more per coarse set. */
	if (!(fabs(s.variance - variance) <= 0.35 * variance))
		fail_msg("%s: expected a variance of %.3g, seen %.3g", when,
			 variance, s.variance);
}

static void estimates_stay_unbiased_when_sampling_changes(void **state)
{
	struct traced *t = *state;
	struct seen end;

	if (!t->pid)
		skip();
	tell(t, 'a');
	assert_outstanding(t, "at 16 KiB", 1, 0);
	assert_int_equal(tracer_set_sampling(t->tracer, FINE), FINE);
	tell(t, 'b');
	assert_outstanding(t, "then at 1 KiB", 1, 1);
	tell(t, 'A');
	assert_outstanding(t, "those at 16 KiB freed", 0, 1);
	assert_int_equal(tracer_set_sampling(t->tracer, COARSE), COARSE);
	tell(t, 'c');
	assert_outstanding(t, "then at 16 KiB again", 1, 1);
	tell(t, 'B');
	tell(t, 'C');
	end = look(t);
	if (end.bytes != 0 || end.variance != 0 || end.samples != 0)
		fail_msg("all is freed: expected nothing, seen %.0f bytes in "
			 "%.0f samples, variance %.3g",
			 end.bytes, end.samples, end.variance);
}

static void sampling_gets_no_finer_than_there_is_room_for(void **state)
{
	struct traced *t = *state;

	if (!t->pid)
		skip();
	assert_int_equal(
		tracer_set_sampling(t->tracer, COARSE / TRACER_FINER_MAX / 2),
		COARSE);
	assert_int_equal(tracer_set_sampling(t->tracer, 0), COARSE);
	assert_int_equal(tracer_set_sampling(t->tracer, 2 * COARSE),
			 2 * COARSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			estimates_stay_unbiased_when_sampling_changes, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			sampling_gets_no_finer_than_there_is_room_for, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
