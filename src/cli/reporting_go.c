// SPDX-License-Identifier: GPL-2.0-only
#include "cli/reporting_go.h"

#include <math.h>

static void add_heap(struct reporting_go *g, pid_t pid,
		     const struct tracer_go_heap *from, uint64_t now_ns)
{
	struct report_go_heap *to = &g->heaps[g->report.heap_count++];
	double settled = (double)from->settled_ns / 1e9;
	unsigned collections = (unsigned)fmin((double)from->collections, 1e9);

	*to = (struct report_go_heap){
		.pid = pid,
		.collections = from->collections,
		.settled_seconds_ago =
			from->settled_ns ? (double)now_ns / 1e9 - settled : -1,
		.rate_known = from->rate_known,
		.rate = (double)from->rate_bytes,
	};
	if (g->report.heap_count == 1 || collections < g->collections)
		g->collections = collections;
	if (g->report.heap_count == 1 || settled < g->settled_seconds)
		g->settled_seconds = settled;
}

bool reporting_go_update(struct reporting_go *g, const struct tracer *t,
			 const struct targets *targets, uint64_t now_ns)
{
	g->report = (struct report_go){.heaps = g->heaps};
	g->collections = 0;
	g->settled_seconds = 0;
	for (size_t i = 0; i < targets->count; i++) {
		struct tracer_go_heap heap;

		if (g->report.heap_count < REPORTING_GO_MAX &&
		    tracer_go_heap(t, targets->list[i]->process.pid, &heap))
			add_heap(g, targets->list[i]->process.pid, &heap,
				 now_ns);
	}
	g->report.all = g->report.heap_count == targets->count;
	return g->report.heap_count != 0;
}

void reporting_go_facts(const struct reporting_go *g, uint64_t attached_ns,
			struct diagnosis_facts *facts)
{
	double settled =
		fmax(g->settled_seconds - (double)attached_ns / 1e9, 0);

	if (!g->report.heap_count)
		return;
	if (!facts->collections || g->collections < facts->collections)
		facts->collections = g->collections;
	if (!(facts->settled_seconds > 0) || settled < facts->settled_seconds)
		facts->settled_seconds = settled;
}
