/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What probes on malloc and free add to V8's pauses, and the limit that sets
 * for them (budget/pauses.h): a collection that promotes many objects calls
 * these hundreds of times. Beyond it the process is observed in windows, as
 * beyond the budget. Not for processes that share probes: windows are common to
 * these.
 */
#ifndef TRACE_V8_PAUSES_H
#define TRACE_V8_PAUSES_H

#include <stdbool.h>
#include <stdint.h>

#include "budget/pauses.h"

struct tracer;

struct v8_pauses {
	struct pauses pauses;
	bool begun;
	uint64_t count, ns, hits_in, hits; /* at the last look */
};

/* After meters have been read (window_costs.h). */
void v8_pauses_read(struct tracer *t);
/* `share`, CPU time per time that probes may cost, or less: as pauses allow. */
double v8_pauses_limit(const struct v8_pauses *v, double share);
/* Whether it is them that allow no more. */
static inline bool v8_pauses_limits(const struct v8_pauses *v, double share)
{
	return pauses_share(&v->pauses) <= share;
}

#endif
