// SPDX-License-Identifier: GPL-2.0-only
#include "trace/v8_pauses.h"

#include <bpf/bpf.h>
#include <math.h>

#include "trace/tracer_internal.h"

/* Of a CPU: with less, nothing would be seen any more. */
#define LEAST_SHARE 0.002

/* Counters begin anew where V8 has been found again. */
static double advance(uint64_t *last, uint64_t now)
{
	double by = now > *last ? (double)(now - *last) : 0;

	*last = now;
	return by;
}

static void add(struct tracee *e, const struct v8_process *p)
{
	struct v8_pauses *v = &e->v8_heap.pauses;
	const uint64_t *hits = e->window.meter.hits;
	struct pauses fresh = {
		.wall_ns = e->window.meter.fresh.wall_ns,
		.count = advance(&v->count, p->pauses),
		.ns = advance(&v->ns, p->pauses_ns),
		.hits = advance(&v->hits, hits[METER_ALLOC] + hits[METER_FREE]),
		.hits_in = advance(&v->hits_in, p->pauses_hits),
	};

	if (v->begun) /* a meter may have had hits of others before */
		pauses_add(&v->pauses, &fresh);
	v->begun = true;
}

void v8_pauses_read(struct tracer *t)
{
	int fd = bpf_map__fd(t->skel->maps.v8_processes);

	if (t->link == LINK_PERF)
		return; /* no windows can be made of these */
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];
		struct v8_process process;
		uint32_t key = e->pid;

		if (e->alive && e->meter &&
		    e->v8_heap.state == V8_HEAP_FOLLOWED &&
		    !bpf_map_lookup_elem(fd, &key, &process))
			add(e, &process);
	}
}

double v8_pauses_limit(const struct v8_pauses *v, double share)
{
	return fmin(share, fmax(pauses_share(&v->pauses), LEAST_SHARE));
}
