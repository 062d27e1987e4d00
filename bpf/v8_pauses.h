/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What probes on allocations and frees cost in V8's pauses. A collection that
 * promotes many objects calls malloc and free hundreds of times (a page of old
 * space has two dozen free lists of its own), on several threads. So the meters
 * of the process are read when it begins and when it ends: hits themselves need
 * not tell whether there is one.
 */
#ifndef BPF_V8_PAUSES_H
#define BPF_V8_PAUSES_H

#include "maps.h"

struct v8_hits {
	__u64 sum;
	__u32 first; /* index of the meter */
};

static __always_inline __u64 v8_hits_of(__u32 index, __u32 cpu)
{
	__u64 *slot = bpf_map_lookup_percpu_elem(&meters, &index, cpu);

	return slot ? *slot : 0;
}

static long v8_add_hits(__u32 cpu, struct v8_hits *h)
{
	h->sum += v8_hits_of(h->first + METER_ALLOC, cpu) +
		  v8_hits_of(h->first + METER_FREE, cpu);
	return 0;
}

/* So far, of the process whose probe has this cookie. */
static __always_inline __u64 v8_hits_so_far(__u64 cookie)
{
	struct v8_hits h = {.first = PROBE_COOKIE_METER(cookie) * METER_KINDS};

	bpf_loop(possible_cpus, v8_add_hits, &h, 0);
	return h.sum;
}

static __always_inline void v8_pause_ended(struct v8_process *p,
					   const struct v8_heap *h,
					   __u64 pause_ns, __u64 cookie)
{
	__u64 hits = v8_hits_so_far(cookie) - h->gc_begin_hits;

	__sync_fetch_and_add(&p->pauses, 1);
	__sync_fetch_and_add(&p->pauses_ns, pause_ns);
	__sync_fetch_and_add(&p->pauses_hits, hits);
}

#endif
