/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tracer knows of Go's heaps, as a report and the diagnosis want it.
 */
#ifndef CLI_REPORTING_GO_H
#define CLI_REPORTING_GO_H

#include "cli/targets.h"
#include "report/report.h"
#include "trace/tracer.h"

#define REPORTING_GO_MAX 64

struct reporting_go {
	struct report_go report;
	struct report_go_heap heaps[REPORTING_GO_MAX];
	/* Of the heap collected least, or latest; as in reporting_v8. */
	unsigned collections;
	double settled_seconds;
};

/* False: no target is a Go program. Valid until the next call. */
bool reporting_go_update(struct reporting_go *g, const struct tracer *t,
			 const struct targets *targets, uint64_t now_ns);

/* What is known of all garbage-collected heaps: the least of both. */
void reporting_go_facts(const struct reporting_go *g, uint64_t attached_ns,
			struct diagnosis_facts *facts);

#endif
