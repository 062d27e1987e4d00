// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_waits.h"

#include "trace/tracer_internal.h"

/* What older windows count when a new one is added. */
#define WAITS_MEMORY 0.8
/* Of the time it is ready. */
#define WAITS_LONG 0.25
/* Looked at, of all processes of a window. */
#define THREADS_MOST 128

static struct run_delay delay_of(const struct tracer *t, const struct tracee *e)
{
	struct run_delay sum = {0};
	unsigned threads = THREADS_MOST;

	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *other = t->tracees[i];

		if (other->process && other->alive &&
		    (other == e || (e == t->sharing.all && other->shared)))
			run_delay_add(other->pid, &sum, &threads);
	}
	return sum;
}

void window_waits_begin(const struct tracer *t, struct tracee *e)
{
	e->window.waits.begun = delay_of(t, e);
}

void window_waits_end(const struct tracer *t, struct tracee *e)
{
	struct window_waits *w = &e->window.waits;
	struct run_delay now = delay_of(t, e);

	w->past.ran_ns *= WAITS_MEMORY;
	w->past.waited_ns *= WAITS_MEMORY;
	/* Threads may have ended. */
	if (now.ran_ns < w->begun.ran_ns || now.waited_ns < w->begun.waited_ns)
		return;
	w->past.ran_ns += now.ran_ns - w->begun.ran_ns;
	w->past.waited_ns += now.waited_ns - w->begun.waited_ns;
}

bool window_waits_long(const struct window_waits *w)
{
	double ready = w->past.ran_ns + w->past.waited_ns;

	return !(ready > 0) || w->past.waited_ns > WAITS_LONG * ready;
}
