/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Passes over the whole table of outstanding blocks, started by the loader
 * (BPF_PROG_TEST_RUN on a syscall program): thinning, purging, and weighing
 * what an observation window has seen.
 *
 * Thinning makes room without bias. Every block was kept with probability P;
 * under the coarser interval it would have been kept with P' < P. So it
 * survives now with probability P'/P and then counts with weight 1/P'.
 */
#ifndef BPF_UPKEEP_H
#define BPF_UPKEEP_H

#include "outstanding.h"

/* Frees the entry of block `number`, whose booking has been swapped for 0. */
static __always_inline void block_unlist(__u32 number, __u32 owner)
{
	__u32 where = number / BLOCK_LINE_KEYS << 3 | number % BLOCK_LINE_KEYS;
	__u64 *key = block_key_at(where);

	if (!key)
		return;
	block_release(where, block_key(*key, owner), owner);
	__sync_fetch_and_add(&outstanding_count, -1);
}

static __always_inline void block_thin(__u32 number, struct block *b,
				       struct upkeep_pass *pass)
{
	/* A copy: whoever frees a surviving block may use its entry again. */
	struct block copy = *b;
	__u64 booking = copy.booking;
	__u32 stack = BLOCK_STACK(booking), old = BLOCK_THRESHOLD(booking);
	__u32 new = sampling_threshold(copy.size, pass->interval);
	struct stack_stats *s = bpf_map_lookup_elem(&stack_stats, &stack);
	struct target *owner = target_find(copy.owner);
	bool survives;

	/* Any probability will do; one that is usual for the target now takes
	 * its blocks as often as another's. */
	if (owner && !copy.draw)
		new = sampling_observed(new, owner->observed_share);
	if (!booking || !s || !new || (old && new >= old))
		return;
	survives = copy.draw ? copy.draw < new : thin_survives(old, new);
	if (__sync_val_compare_and_swap(&b->booking, booking,
					survives ? BLOCK_BOOKING(stack, new)
						 : 0) != booking)
		return; /* freed meanwhile */
	stats_alloc(s, copy.size, old, copy.birth_ns, false);
	if (survives) {
		stats_alloc(s, copy.size, new, copy.birth_ns, true);
		return;
	}
	block_unlist(number, copy.owner);
	count(COUNTER_THINNED, 1);
	pass->removed++;
}

static __always_inline bool is_purged(__u32 owner)
{
	return bpf_map_lookup_elem(&purged, &owner) != NULL;
}

static __always_inline void block_purge(__u32 number, struct block *b,
					struct upkeep_pass *pass)
{
	struct block taken;
	__u64 booking;

	if (!is_purged(b->owner))
		return;
	booking = __sync_lock_test_and_set(&b->booking, 0);
	if (!booking)
		return;
	taken = *b;
	taken.booking = booking;
	if (!is_purged(taken.owner)) {
		/* Freed and used again between the two looks. */
		arch_store_release(&b->booking, booking);
		return;
	}
	block_unlist(number, taken.owner);
	block_freed(&taken);
	pass->removed++;
}

/* It was on the books before the window, and is still. */
static __always_inline void block_at_risk(const struct block *b,
					  const struct upkeep_pass *pass)
{
	__u64 booking = b->booking;
	__u32 stack = BLOCK_STACK(booking), class;
	struct stack_lives *lives = bpf_map_lookup_elem(&stack_lives, &stack);

	class = life_class(pass->born_from_ns - b->birth_ns);
	if (lives && class < LIFE_CLASSES)
		__sync_fetch_and_add(
			&lives->at_risk[class],
			sampling_bytes(b->size, BLOCK_THRESHOLD(booking)));
}

static __always_inline bool is_weighed(__u32 tgid,
				       const struct upkeep_pass *pass)
{
	struct target *target;

	if (pass->weigh_tgid != WEIGH_SHARED)
		return tgid == pass->weigh_tgid;
	target = target_find(tgid);
	return target && target->shared;
}

/* Its P becomes smaller, and what it stands for larger. What was allocated in
 * all is the loader's to correct: of most blocks no entry is left. */
static __always_inline void block_weigh(struct block *b,
					struct upkeep_pass *pass)
{
	struct block copy = *b;
	__u64 booking = copy.booking;
	__u32 stack = BLOCK_STACK(booking), old = BLOCK_THRESHOLD(booking);
	__u32 new = sampling_observed(old, pass->share);
	struct stack_stats *s = bpf_map_lookup_elem(&stack_stats, &stack);

	if (!s || !booking || s->source != STACK_SOURCE_NATIVE ||
	    !is_weighed(copy.owner, pass))
		return;
	if (copy.birth_ns < pass->born_from_ns)
		block_at_risk(&copy, pass);
	if (copy.birth_ns < pass->born_from_ns ||
	    copy.birth_ns > pass->born_to_ns ||
	    __sync_val_compare_and_swap(&b->booking, booking,
					BLOCK_BOOKING(stack, new)) != booking)
		return;
	stats_live(s, copy.size, old, copy.birth_ns, false);
	stats_live(s, copy.size, new, copy.birth_ns, true);
}

static long upkeep_block(void *map, __u32 *number, struct block *b,
			 struct upkeep_pass *pass)
{
	if (!b->booking)
		return 0;
	if (pass->weigh_tgid)
		block_weigh(b, pass);
	else if (pass->purge)
		block_purge(*number, b, pass);
	else
		block_thin(*number, b, pass);
	return 0;
}

SEC("syscall")
int upkeep(struct upkeep_pass *arguments)
{
	struct upkeep_pass pass = {
		.interval = arguments->interval,
		.purge = arguments->purge,
		.weigh_tgid = arguments->weigh_tgid,
		.born_from_ns = arguments->born_from_ns,
		.born_to_ns = arguments->born_to_ns,
		.share = arguments->share,
	};

	bpf_for_each_map_elem(&blocks, upkeep_block, &pass, 0);
	arguments->removed = pass.removed;
	return 0;
}

#endif
