/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many processes that allocate at a steady rate: `crowd WORKERS`. Each pair of
 * malloc and free stands beside a little other work; now and then a worker
 * loses a block. Commands on standard input:
 *
 *     set N    N pairs a second, by all; N / 8 blocks lost, at most 2,000
 *     read
 *
 * Each is answered by "<wall ns>" and, of the first worker and of all, "<CPU
 * ns> <pairs> <bytes lost>". The end of standard input ends them.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "pairs.h"

#define WORKERS_MAX 128
#define SECOND_NS   1000000000ULL
/* As many batches a second as there are pairs in one, within these. */
#define TICKS_LEAST 10
#define TICKS_MOST  1000
#define LOST_BYTES  1024
#define LOST_PART   8
#define LOST_MOST   2000
#define ROUNDS	    20 /* of other work per pair */

struct worker {
	volatile uint64_t rate, lost_rate; /* to be kept */
	volatile uint64_t pairs, lost_bytes;
	pid_t pid;
	clockid_t cpu;
};

static void *volatile lost;

static NOINLINE void lose_one(struct worker *w)
{
	lost = malloc(LOST_BYTES);
	w->lost_bytes += LOST_BYTES;
}

/* Until the next tick; who is late does not catch up. */
static void wait_for_tick(uint64_t ticks)
{
	static uint64_t next;
	uint64_t now = bench_ns(CLOCK_MONOTONIC);
	struct timespec until;

	next += SECOND_NS / ticks;
	if (next < now || next > now + SECOND_NS)
		next = now + SECOND_NS / ticks;
	until.tv_sec = (time_t)(next / SECOND_NS);
	until.tv_nsec = (long)(next % SECOND_NS);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* What is left over of a tick is done in a later one. */
static uint64_t due(uint64_t *owed, uint64_t rate, uint64_t ticks)
{
	uint64_t count;

	*owed += rate;
	count = *owed / ticks;
	*owed %= ticks;
	return count;
}

static void work(struct worker *w)
{
	uint64_t owed = 0, lost_owed = 0;

	for (;;) {
		uint64_t rate = w->rate, ticks = TICKS_LEAST, n;

		while (ticks * ticks < rate && ticks < TICKS_MOST)
			ticks++;
		n = due(&owed, rate, ticks);
		for (uint64_t i = 0; i < n; i++) {
			other_work(ROUNDS);
			pair(32 + (i & 7) * 16);
		}
		w->pairs += n;
		n = due(&lost_owed, w->lost_rate, ticks);
		for (uint64_t i = 0; i < n; i++)
			lose_one(w);
		wait_for_tick(ticks);
	}
}

/* Where there are more workers than pairs, some have none. */
static void set(struct worker *workers, size_t count, uint64_t rate)
{
	uint64_t lost_rate = rate / LOST_PART;

	if (lost_rate > LOST_MOST)
		lost_rate = LOST_MOST;
	for (size_t i = 0; i < count; i++) {
		workers[i].rate = (rate + i) / count;
		workers[i].lost_rate = (lost_rate + i) / count;
	}
}

static void answer(const struct worker *workers, size_t count)
{
	uint64_t cpu_ns = 0, pairs = 0, lost_bytes = 0;

	for (size_t i = 0; i < count; i++) {
		cpu_ns += bench_ns(workers[i].cpu);
		pairs += workers[i].pairs;
		lost_bytes += workers[i].lost_bytes;
	}
	dprintf(1, "%llu %llu %llu %llu\n",
		(unsigned long long)bench_ns(CLOCK_MONOTONIC),
		(unsigned long long)cpu_ns, (unsigned long long)pairs,
		(unsigned long long)lost_bytes);
}

static bool start(struct worker *w)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		work(w);
	}
	w->pid = pid;
	return pid > 0 && !clock_getcpuclockid(pid, &w->cpu);
}

int main(int argc, char **argv)
{
	size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 1;
	struct worker *workers =
		mmap(NULL, WORKERS_MAX * sizeof(*workers),
		     PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	static char line[256];

	if (!count || count > WORKERS_MAX || workers == MAP_FAILED)
		return 1;
	prctl(PR_SET_TIMERSLACK, 50000);
	for (size_t i = 0; i < count; i++)
		if (!start(&workers[i]))
			return 1;
	for (size_t i = 0; i < count; i++)
		dprintf(1, "%d%c", (int)workers[i].pid,
			i + 1 < count ? ' ' : '\n');
	while (fgets(line, sizeof(line), stdin)) {
		if (!strncmp(line, "set ", 4))
			set(workers, count, strtoull(line + 4, NULL, 10));
		answer(workers, count);
	}
	return 0; /* the workers end with it */
}
