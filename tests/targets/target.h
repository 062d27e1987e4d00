/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs to be traced, with known ground truth.
 *
 * A target says "ready" on standard output, waits for a line on standard
 * input (the profiler attaches meanwhile), runs its scenario, prints what is
 * really outstanding as one line of JSON, waits for another line (the profiler
 * reads meanwhile) and exits with 0. Whatever the scenario finds wrong with
 * its own behaviour (a wrong return value, lost data) it reports and exits
 * with 3: a traced program must not notice.
 *
 *   {"truth": [{"chain": "leak;run;main", "bytes": 64, "objects": 1}], ...}
 *
 * `chain`: the true call chain from the function that called the allocator
 * outwards. Nothing here allocates, so a scenario knows of every block.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A function that has a frame of its own in every stack. A tail call would
 * take it away: end such a function with KEEP_FRAME(). */
#define SITE	     __attribute__((noinline, noclone, unused))
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

/* Hides a value from the optimizer. */
#define OPAQUE(x)                                                              \
	__extension__({                                                        \
		__typeof__(x) opaque_ = (x);                                   \
		__asm__ volatile("" : "+r"(opaque_)::"memory");                \
		opaque_;                                                       \
	})

/* Ready, then wait for the go. */
void target_ready(void);
/* Adds to the truth: negative numbers for what was freed again. */
void truth(const char *chain, long bytes, long objects);
/* Prints the truth and waits for the end; returns the exit code. */
int target_done(void);
/* Waits for one more line: for scenarios of several steps. */
void target_wait(void);
/* Prints one line of JSON, a string value under `name`. */
void target_say(const char *name, const char *value);

/* Checks the scenario's own expectations. */
#define EXPECT(condition)                                                      \
	do {                                                                   \
		if (!(condition))                                              \
			target_unexpected(__FILE__, __LINE__, #condition);     \
	} while (0)
void target_unexpected(const char *file, int line, const char *condition);

/* Keeps a pointer, so that no compiler drops the allocation. */
extern void *volatile target_sink;

#ifdef __cplusplus
}
#endif
#endif
