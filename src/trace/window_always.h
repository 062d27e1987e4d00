/* SPDX-License-Identifier: GPL-2.0-only */
/* Who is observed all the time, and who in windows. */
#ifndef TRACE_WINDOW_ALWAYS_H
#define TRACE_WINDOW_ALWAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "trace/windows.h"

/* It has used up its credit although it is not in windows yet: samples become
 * fewer, or it is from windows_end_always on. */
void window_leave_always(struct tracer *t, struct tracee *e);
/* Takes out the probes of all those. */
void windows_end_always(struct tracer *t);
/* Whether it could be observed all the time, as well as those that are. */
bool window_is_affordable(const struct tracer *t, const struct window *w);
void window_observe_always(struct tracer *t, struct tracee *e);

/* windows.c. `ends_ns` 0: not by itself. */
void window_enter(struct window *w, enum window_state state, uint64_t ends_ns);
void window_wait_for_credit(const struct tracer *t, struct window *w,
			    bool is_second);

#endif
