/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every benchmark target has in common: one worker thread that does the
 * work over and over, and commands on standard input that tell how far it has
 * come. Traced and untraced phases thus run in one life of one process, which
 * is what makes their ratio worth something on a noisy machine.
 *
 *     read     -> "<thread cpu ns> <wall ns> <operations>"
 *     set N    -> passes N to the following batches; answers like read
 *     stop, go -> pause and resume the worker; answers like read
 *
 * The end of standard input ends the process.
 */
#ifndef BENCH_TARGET_H
#define BENCH_TARGET_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Does some work, a millisecond at most, and returns how many operations that
 * was. */
typedef uint64_t (*bench_batch)(uint64_t setting);

struct bench_worker {
	bench_batch batch;
	volatile uint64_t setting;
	volatile uint64_t operations;
	volatile int wanted; /* main thread: run */
	volatile int idle;   /* worker: does not run */
};

static inline void *bench_work(void *argument)
{
	struct bench_worker *w = (struct bench_worker *)argument;

	for (;;) {
		while (!w->wanted) {
			w->idle = 1;
			usleep(1000);
		}
		w->idle = 0;
		w->operations = w->operations + w->batch(w->setting);
	}
	return NULL;
}

static inline uint64_t bench_ns(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static inline void bench_command(struct bench_worker *w, const char *line)
{
	if (!strncmp(line, "set ", 4))
		w->setting = strtoull(line + 4, NULL, 10);
	if (!strncmp(line, "go", 2))
		w->wanted = 1;
	if (!strncmp(line, "stop", 4)) {
		w->wanted = 0;
		while (!w->idle)
			usleep(100);
	}
}

/* Never allocates between commands, so that the worker's calls are the only
 * ones traced. */
static inline int bench_main(bench_batch batch, uint64_t setting)
{
	struct bench_worker w = {batch, setting, 0, 0, 0};
	static char input[256], line[256];
	pthread_t thread;
	clockid_t cpu;

	setvbuf(stdin, input, _IOLBF, sizeof(input));
	if (pthread_create(&thread, NULL, bench_work, &w) ||
	    pthread_getcpuclockid(thread, &cpu))
		return 1;
	while (fgets(line, sizeof(line), stdin)) {
		bench_command(&w, line);
		dprintf(1, "%llu %llu %llu\n", (unsigned long long)bench_ns(cpu),
			(unsigned long long)bench_ns(CLOCK_MONOTONIC),
			(unsigned long long)w.operations);
	}
	return 0;
}

#endif
