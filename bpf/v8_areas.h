/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * V8's allocation areas: what has been allocated from them since it was last
 * counted, and whether the next sample is due.
 */
#ifndef BPF_V8_AREAS_H
#define BPF_V8_AREAS_H

#include "v8_interval.h"

struct v8_allocation {
	__u64 allocator; /* Space or MainAllocator */
	__u64 object;	 /* untagged; 0: none */
	__u64 size;	 /* 0: not known */
	__u64 weight;	 /* bytes it stands for; 0: its size */
	__u64 heap;
	__u64 limit; /* the new area ends there; of V8_RESET_LAB */
	__u64 top;   /* v8_lab_replaced */
	__u32 owner;
	__u32 turn;
	__u32 scale_q8; /* struct target */
	bool replaced;	/* the old area cannot be read any more */
	bool inside;	/* probed in a function, not at its entry */
	bool nonsense;	/* nor the new one */
};

/* V8's LinearAllocationArea. */
struct v8_lab {
	__u64 start, top, limit;
};

static __always_inline bool v8_lab_read(const struct v8_layout *l,
					__u64 allocator, struct v8_lab *lab)
{
	__u64 place;

	return !bpf_probe_read_user(&place, sizeof(place),
				    (void *)(allocator + l->allocator_lab)) &&
	       !bpf_probe_read_user(lab, sizeof(*lab), (void *)place) &&
	       lab->start <= lab->top && lab->top <= lab->limit &&
	       lab->limit - lab->start <= V8_PAGE_BYTES;
}

/*
 * Bytes allocated from the area since they were last counted. V8 moves `start`
 * up to `top` when it counts itself, and has done so before ResetLab: then
 * `area` knows better.
 */
static __always_inline __u64 v8_lab_used(const struct v8_lab *lab,
					 const struct v8_allocator *state)
{
	__u64 from = lab->start;

	if (state->area && state->area <= lab->top &&
	    lab->top - state->area <= V8_PAGE_BYTES)
		from = state->area;
	return lab->top - from;
}

/* The same when V8 12 has dropped the area already: it has gone on in the same
 * page, or has used it up. After a collection (which has counted) it was
 * dropped for that. */
static __always_inline __u64 v8_lab_dropped(const struct v8_heap *h,
					    const struct v8_allocator *state,
					    __u64 next)
{
	if (!state->area || !next ||
	    state->collections != h->scavenges + h->full_gcs)
		return 0;
	if (next > state->area && !((next ^ state->area) / V8_PAGE_BYTES))
		return next - state->area;
	return state->limit - state->area;
}

/* The same when it has been replaced. `top`: where it was used up to, from the
 * start of its page; 0: it had been dropped before. */
static __always_inline __u64 v8_lab_replaced(const struct v8_heap *h,
					     const struct v8_allocator *state,
					     __u64 top, __u64 next)
{
	__u64 page = state->area & ~(V8_PAGE_BYTES - 1);

	if (!top)
		return v8_lab_dropped(h, state, next);
	if (!state->area)
		return 0;
	if (top <= V8_PAGE_BYTES && page + top >= state->area)
		return page + top - state->area;
	return state->limit > state->area ? state->limit - state->area : 0;
}

/* The next area, when it is not known: on no page of this one. */
#define ELSEWHERE (~0ULL)

/* Counts what has been allocated up to a probed call. */
static __always_inline void v8_count(const struct v8_layout *l,
				     struct v8_heap *h,
				     const struct v8_allocation *a,
				     struct v8_allocator *state, __u32 kind)
{
	struct v8_lab lab;
	__u64 used;

	if (a->nonsense) {
		__sync_fetch_and_add(&h->lab_bad, 1);
		return;
	}
	if (a->replaced) {
		used = v8_lab_replaced(h, state, a->top, a->object);
	} else if (!v8_lab_read(l, a->allocator, &lab)) {
		__sync_fetch_and_add(&h->lab_bad, 1);
		return;
	} else {
		used = lab.top ? v8_lab_used(&lab, state)
			       : v8_lab_dropped(h, state,
						kind == V8_REFILL_LOCK
							? ELSEWHERE
							: a->object);
	}
	__sync_fetch_and_add(&state->bytes, used);
	/* Tries to refill follow each other: what is counted is dropped. */
	state->area = kind == V8_RESET_LAB     ? a->object
		      : kind == V8_REFILL_LOCK ? 0
					       : lab.top;
	if (kind == V8_RESET_LAB)
		state->limit = a->limit;
	if (state->collections != h->scavenges + h->full_gcs)
		state->fresh = 1;
	state->collections = h->scavenges + h->full_gcs;
}

/* All up to there has been counted. */
static __always_inline void v8_area_begins(const struct v8_allocation *a,
					   struct v8_allocator *state)
{
	state->area = a->object;
	state->limit = a->limit;
}

/*
 * Whether the object that begins an area now is a sample. Not the first one
 * after a collection: it begins an area whatever its size, and V8 likes to
 * collect between two tasks, after which it is always the same one.
 */
static __always_inline bool v8_due(const struct v8_heap *h,
				   struct v8_allocator *state)
{
	if (state->fresh) {
		state->fresh = 0;
		return false;
	}
	if (state->bytes < v8_interval(h) / 2 + state->due)
		return false;
	state->due = v8_interval_draw(h);
	return true;
}

#endif
