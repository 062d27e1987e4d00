/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Outstanding sampled blocks and what they add to their stack's totals.
 *
 * A block is on the books exactly as long as its `booking` word is not 0:
 * whoever swaps it for 0 (a free on any processor, the thinner) takes it off
 * the totals, once.
 */
#ifndef BPF_OUTSTANDING_H
#define BPF_OUTSTANDING_H

#include "arch.h"
#include "maps.h"
#include "block_table.h"
#include "leakbpf/sampling.h"

/* Whether what was sampled with the first threshold stays under the second,
 * smaller one. */
static __always_inline bool thin_survives(__u32 old, __u32 new)
{
	/* P'/P; 0 stands for 2^32 */
	__u64 p = old ? old : 1ULL << 32;

	return (__u64)bpf_get_prandom_u32() * p < (__u64) new << 32;
}

/* The cohort slot of a birth time. Verified once, like walk_run(). */
__noinline __u32 cohort_slot(__u64 birth_ns)
{
	struct cohort_layout *layout = &cohort_layouts[cohort_active & 1];
	__u32 i, at = layout->count - 1;

	for (i = 0; i < COHORTS; i++, at--) {
		if (at >= COHORTS)
			break;
		if (!at || birth_ns >= layout->start_ns[at])
			return layout->slot[at] & (COHORTS - 1);
	}
	return 0;
}

static __always_inline void stats_live(struct stack_stats *s, __u64 size,
				       __u32 threshold, __u64 birth_ns,
				       bool add)
{
	__u64 bytes = sampling_bytes(size, threshold);
	__u64 objects = sampling_objects_q8(threshold);
	__u32 slot = cohort_slot(birth_ns) & (COHORTS - 1);

	__sync_fetch_and_add(&s->cohort_bytes[slot], add ? bytes : -bytes);
	__sync_fetch_and_add(&s->cohort_objects_q8[slot],
			     add ? objects : -objects);
	if (threshold) {
		__u64 vb = sampling_bytes_variance(size, threshold,
						   sampling.variance_shift);
		__u64 vo = sampling_objects_variance_q4(threshold);

		__sync_fetch_and_add(&s->live_bytes_variance, add ? vb : -vb);
		__sync_fetch_and_add(&s->live_objects_variance_q4,
				     add ? vo : -vo);
	}
}

/* Books (or, with add = false, un-books) an allocation. */
static __always_inline void stats_alloc(struct stack_stats *s, __u64 size,
					__u32 threshold, __u64 birth_ns,
					bool add)
{
	__u64 bytes = sampling_bytes(size, threshold);
	__u64 more = sampling_objects_q8(threshold) - 256;

	__sync_fetch_and_add(&s->alloc_samples, add ? 1 : -1);
	__sync_fetch_and_add(&s->alloc_bytes, add ? bytes : -bytes);
	if (threshold)
		__sync_fetch_and_add(&s->alloc_objects_q8, add ? more : -more);
	stats_live(s, size, threshold, birth_ns, add);
}

static __always_inline void stats_free(__u32 stack, __u64 size, __u32 threshold,
				       __u64 birth_ns)
{
	struct stack_stats *s = bpf_map_lookup_elem(&stack_stats, &stack);

	count_work(COUNTER_FREED, 1);
	if (!s)
		return;
	/* Reading the clock costs as much as the rest: only when the stack
	 * holds nothing any more, which is when its last use matters. */
	if (__sync_fetch_and_add(&s->freed_samples, 1) + 1 == s->alloc_samples)
		s->last_free_ns = bpf_ktime_get_ns();
	stats_live(s, size, threshold, birth_ns, false);
}

/* Takes the block out of the table. Its booking, 0 when it is not there; the
 * rest in *out. The totals still hold it. */
static __always_inline __u64 block_take(__u64 address, __u32 owner,
					struct block *out)
{
	block_extract(address, owner, out);
	if (out->booking)
		__sync_fetch_and_add(&outstanding_count, -1);
	return out->booking;
}

static __always_inline void block_freed(const struct block *b)
{
	stats_free(BLOCK_STACK(b->booking), b->size,
		   BLOCK_THRESHOLD(b->booking), b->birth_ns);
}

/* What it stands for. */
static __always_inline __u64 block_bytes(const struct block *b)
{
	return sampling_bytes(b->size, BLOCK_THRESHOLD(b->booking));
}

/* In a window: what was born before it tells of those that die unseen, as large
 * blocks (large_blocks.h) do not. */
static __always_inline void note_death(const struct block *b)
{
	struct target *target = target_find(b->owner);
	__u32 stack = BLOCK_STACK(b->booking), class;
	struct stack_lives *lives;

	if (!target || b->birth_ns >= target->window_ns ||
	    (target->large_blocks && b->size >= LARGE_BLOCK_BYTES))
		return;
	lives = bpf_map_lookup_elem(&stack_lives, &stack);
	class = life_class(bpf_ktime_get_ns() - b->birth_ns);
	if (lives && class < LIFE_CLASSES)
		__sync_fetch_and_add(&lives->deaths[class], block_bytes(b));
}

/* Seen to be freed, not just found to be gone. */
static __always_inline void block_died(const struct block *b)
{
	if (window_number)
		note_death(b);
	block_freed(b);
}

/*
 * The table is full although the loader thins it at the high-water mark: the
 * target is faster. Sample more coarsely at once; every sample carries its own
 * probability, so that does no harm to the estimates.
 */
static __always_inline void outstanding_full(__u32 tgid)
{
	__u64 interval = sampling.interval_bytes;

	count(COUNTER_LOST_TABLE_FULL, 1);
	if (!__sync_val_compare_and_swap(&pressure_raised, 0, 1)) {
		if (interval < SAMPLING_INTERVAL_MAX / 2)
			sampling.interval_bytes =
				interval < 32 ? 64 : interval * 2;
		send_event(EVENT_TABLE_PRESSURE, tgid, 0);
	}
}

/* Its address is handed out again: it died between two windows. */
static __always_inline void note_gone(const struct block *b)
{
	__u32 stack = BLOCK_STACK(b->booking);
	struct stack_lives *lives = bpf_map_lookup_elem(&stack_lives, &stack);

	if (lives)
		__sync_fetch_and_add(&lives->gone, block_bytes(b));
}

/* Puts a block into the table; the totals are the caller's business. */
static __always_inline bool block_put(__u64 address, struct block *b)
{
	__s64 others = __sync_fetch_and_add(&outstanding_count, 1);
	struct block old;

	/* A live address handed out again: its free was missed. */
	if (block_take(address, b->owner, &old)) {
		if (window_number) {
			count(COUNTER_FREED_UNSEEN, 1);
			note_gone(&old);
		} else {
			count(COUNTER_MISSED_FREE, 1);
		}
		block_freed(&old);
	}
	if (others >= (__s64)outstanding_max || !block_insert(address, b)) {
		__sync_fetch_and_add(&outstanding_count, -1);
		outstanding_full(b->owner);
		return false;
	}
	if (others > (__s64)outstanding_high_water &&
	    !__sync_val_compare_and_swap(&pressure_raised, 0, 1))
		send_event(EVENT_TABLE_PRESSURE, b->owner, 0);
	return true;
}

/* A sampled allocation succeeded. `draw`: of a page, else 0. */
static __always_inline void block_held(__u32 owner, __u64 address, __u64 size,
				       __u32 stack, __u32 threshold, __u32 draw)
{
	__u64 now = bpf_ktime_get_ns();
	struct block b = {
		.size = size,
		.birth_ns = now,
		.booking = BLOCK_BOOKING(stack, threshold),
		.owner = owner,
		.draw = draw,
	};
	struct stack_stats *s = bpf_map_lookup_elem(&stack_stats, &stack);

	if (!s)
		return;
	/* Totals first: a free may follow the instant the block is found. */
	stats_alloc(s, size, threshold, now, true);
	if (!s->first_alloc_ns)
		s->first_alloc_ns = now;
	s->last_alloc_ns = now;
	count_work(COUNTER_SAMPLES, 1);
	if (!block_put(address, &b))
		stats_alloc(s, size, threshold, now, false);
}

static __always_inline void block_allocated(__u32 owner, __u64 address,
					    __u64 size, __u32 stack,
					    __u32 threshold)
{
	block_held(owner, address, size, stack, threshold, 0);
}

#endif
