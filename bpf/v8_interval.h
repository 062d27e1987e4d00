/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How much is allocated between two samples of V8's heap: more where samples
 * would cost too much, of a CPU or of the collector's pauses. Every sample
 * stands for what was allocated since the one before, so estimates need not
 * know of it.
 */
#ifndef BPF_V8_INTERVAL_H
#define BPF_V8_INTERVAL_H

#include "v8_heap.h"

/*
 * Areas from a free list may be as small as the objects: then a walk for each
 * would cost more than the program's own work, for samples that say little. So
 * areas are passed over until they add up to a number drawn from half of these
 * to one and a half. Always the same one would fall in step with a program that
 * repeats itself.
 */
#define V8_SAMPLE_BYTES	    (128ULL << 10)
#define V8_SAMPLE_BYTES_MAX (1ULL << 20)

/* Per cent of the pauses that passes over samples may take. */
#define V8_PASSES_PERCENT 3
/* Looked at that often, at the end of a collection. */
#define V8_ADJUST_NS 200000000ULL

/* Of a CPU that samples may cost one heap, in 1/1000; 0: no limit. Set by the
 * loader. */
__u32 v8_share_permille = 0;

static __always_inline __u64 v8_interval(const struct v8_heap *h)
{
	return h->interval ? h->interval : V8_SAMPLE_BYTES;
}

/* What is to be added to half of the interval before the next sample. */
static __always_inline __u64 v8_interval_draw(const struct v8_heap *h)
{
	return (bpf_get_prandom_u32() * v8_interval(h)) >> 32;
}

static __always_inline void v8_interval_adjust(struct v8_heap *h, __u64 now)
{
	__u64 interval = v8_interval(h), elapsed = now - h->adjusted_ns;
	__u64 sampling = h->sampling_ns - h->adjusted_sampling_ns;
	__u64 pauses = h->scavenge_ns + h->full_gc_ns - h->adjusted_pauses_ns;
	__u64 passes = h->passes_ns - h->adjusted_passes_ns;
	__u64 share = elapsed * v8_share_permille / 1000;

	if (elapsed < V8_ADJUST_NS)
		return;
	if (h->adjusted_ns && share) {
		if (sampling > share ||
		    passes * 100 > pauses * V8_PASSES_PERCENT)
			interval += interval / 2;
		else if (sampling < share / 2 &&
			 passes * 200 < pauses * V8_PASSES_PERCENT)
			interval -= interval / 4;
		h->interval = interval < V8_SAMPLE_BYTES ? V8_SAMPLE_BYTES
			      : interval > V8_SAMPLE_BYTES_MAX
				      ? V8_SAMPLE_BYTES_MAX
				      : interval;
	}
	h->adjusted_ns = now;
	h->adjusted_sampling_ns = h->sampling_ns;
	h->adjusted_pauses_ns = h->scavenge_ns + h->full_gc_ns;
	h->adjusted_passes_ns = h->passes_ns;
}

#endif
