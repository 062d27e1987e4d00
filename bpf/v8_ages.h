/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Samples that grow old: from the table of the young ones, which every scavenge
 * passes over, to the other. When that gets full it is thinned.
 */
#ifndef BPF_V8_AGES_H
#define BPF_V8_AGES_H

#include "v8_objects.h"

/* Whether an old sample is kept; if so it stands for at least v8_weight_min
 * bytes, which is what keeps this without bias. */
__noinline int v8_thin(struct v8_sample *s)
{
	__u64 least = v8_weight_min, size, weight;

	if (!s)
		return 1;
	size = s->block.size;
	weight = sampling_bytes(size, BLOCK_THRESHOLD(s->block.booking));
	if (weight >= least || size >= least)
		return 1;
	if ((__u64)bpf_get_prandom_u32() * least >= weight << 32) {
		count(COUNTER_THINNED, 1);
		return 0;
	}
	v8_rebook(s, size, v8_threshold(size, least));
	return 1;
}

/* Old samples get too many: from now on each stands for more. False: they do
 * not. */
static __always_inline bool v8_thin_more(void)
{
	__u64 least = v8_weight_min;

	if (v8_old_count < (__s64)v8_old_high_water || least >> 40)
		return false;
	__sync_val_compare_and_swap(&v8_weight_min, least,
				    least ? least * 2 : V8_PAGE_BYTES);
	return true;
}

/* Now that the object is initialised, its size can be known. What the sample
 * stands for stays the same. */
__noinline int v8_measure(struct v8_sample *s, struct v8_pass *pass)
{
	__u64 weight, size;

	if (!s || !pass || s->sized)
		return 0;
	weight = sampling_bytes(s->block.size,
				BLOCK_THRESHOLD(s->block.booking));
	size = v8_size_of(s, pass);
	if (!size)
		return 0;
	s->sized = 1;
	if (size > weight)
		size = weight;
	return v8_rebook(s, size, v8_threshold(size, weight));
}

__noinline int v8_grow_old(__u32 index, struct v8_sample *s,
			   struct v8_pass *pass)
{
	struct v8_sample *old = NULL;
	__u64 booking;

	if (!s || !pass)
		return 0;
	v8_measure(s, pass);
	if (v8_thin(s)) {
		old = v8_old_take();
		if (!old)
			count(COUNTER_V8_LOST_TABLE, 1);
	}
	if (!old) {
		v8_drop_young(index, s);
		return 0;
	}
	old->address = s->address;
	old->heap = s->heap;
	old->block.owner = s->block.owner;
	old->survived = s->survived;
	old->sized = s->sized;
	old->aged = s->aged;
	old->block.size = s->block.size;
	old->block.birth_ns = s->block.birth_ns;
	/* The booking moves, the totals stay as they are. */
	booking = __sync_lock_test_and_set(&s->block.booking, 0);
	__sync_lock_test_and_set(&old->block.booking, booking);
	if (booking)
		v8_young_free(index);
	return 0;
}

#endif
