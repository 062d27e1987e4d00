/* SPDX-License-Identifier: GPL-2.0-only */
/* How long threads had a CPU, and how long they were ready to run and waited
 * for one (/proc/PID/task/TID/schedstat). */
#ifndef TARGET_RUN_DELAY_H
#define TARGET_RUN_DELAY_H

#include <stdint.h>
#include <sys/types.h>

struct run_delay {
	double ran_ns, waited_ns;
};

/* Adds those of a process to *sum: of at most *threads threads, which are taken
 * off it. Nothing where the process has ended, or the kernel does not tell. */
void run_delay_add(pid_t pid, struct run_delay *sum, unsigned *threads);

#endif
