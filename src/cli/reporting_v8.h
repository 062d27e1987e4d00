/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tracer knows of V8's heaps, as a report wants it. */
#ifndef CLI_REPORTING_V8_H
#define CLI_REPORTING_V8_H

#include "cli/targets.h"
#include "profile/merge.h"
#include "report/report.h"
#include "trace/tracer.h"

#define REPORTING_HEAPS_MAX 256

struct reporting_v8 {
	struct report_v8 report;
	struct tracer *tracer;
	const struct stack_merge *merge;
	struct heap_summary heaps[REPORTING_HEAPS_MAX];
	unsigned collections; /* the most full ones of any heap */
	/* Since when it is not known whether what was born lives, in the heap
	 * where that is longest, of those collected often enough; seconds of
	 * CLOCK_MONOTONIC, 0: there is none. */
	double settled_seconds;
};

/* False: no target runs V8. Valid until the next call. */
bool reporting_v8_update(struct reporting_v8 *v, struct tracer *t,
			 const struct stack_merge *merge,
			 struct profile *profile, const struct targets *targets,
			 uint64_t now_ns, unsigned survived);

#endif
