/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a target waits for a CPU in its windows. One that has time to spare
 * does in a window what it does in as much time outside, unless what its probes
 * cost leaves too little for all: many processes may fill all CPUs although
 * each of them is far from filling one.
 */
#ifndef TRACE_WINDOW_WAITS_H
#define TRACE_WINDOW_WAITS_H

#include <stdbool.h>

#include "target/run_delay.h"

struct tracee;
struct tracer;

struct window_waits {
	struct run_delay begun; /* at the window's begin */
	struct run_delay past;	/* in the last windows */
};

void window_waits_begin(const struct tracer *t, struct tracee *e);
void window_waits_end(const struct tracer *t, struct tracee *e);
/* Of the time that it is ready to run in windows, much passes without a CPU;
 * also where the kernel does not tell. */
bool window_waits_long(const struct window_waits *w);

#endif
