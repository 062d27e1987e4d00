/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Passes over the whole table of outstanding blocks, started by the loader
 * (BPF_PROG_TEST_RUN on a syscall program): thinning and purging.
 *
 * Thinning makes room without bias. Every block was kept with probability P;
 * under the coarser interval it would have been kept with P' < P. So it
 * survives now with probability P'/P and then counts with weight 1/P'.
 */
#ifndef BPF_UPKEEP_H
#define BPF_UPKEEP_H

#include "outstanding.h"

static __always_inline bool thin_survives(__u32 old, __u32 new)
{
	/* P'/P; 0 stands for 2^32 */
	__u64 p = old ? old : 1ULL << 32;

	return (__u64)bpf_get_prandom_u32() * p < (__u64) new << 32;
}

static __always_inline void block_thin(struct block_key *key, struct block *b,
				       struct upkeep_pass *pass)
{
	__u64 booking = b->booking;
	__u32 stack = BLOCK_STACK(booking), old = BLOCK_THRESHOLD(booking);
	__u32 new = sampling_threshold(b->size, pass->interval);
	struct stack_stats *s = bpf_map_lookup_elem(&stack_stats, &stack);
	bool survives;

	if (!booking || !s || !new || (old && new >= old))
		return;
	survives = thin_survives(old, new);
	if (__sync_val_compare_and_swap(&b->booking, booking,
					survives ? BLOCK_BOOKING(stack, new)
						 : 0) != booking)
		return; /* freed meanwhile */
	stats_alloc(s, b->size, old, b->birth_ns, false);
	if (survives) {
		stats_alloc(s, b->size, new, b->birth_ns, true);
		return;
	}
	bpf_map_delete_elem(&outstanding, key);
	__sync_fetch_and_add(&outstanding_count, -1);
	count(COUNTER_THINNED, 1);
	pass->removed++;
}

static __always_inline void block_purge(struct block_key *key,
					struct upkeep_pass *pass)
{
	struct block b;

	if (key->tgid == pass->purge_tgid && block_take(key, &b)) {
		block_freed(&b);
		pass->removed++;
	}
}

static long upkeep_block(void *map, struct block_key *key, struct block *b,
			 struct upkeep_pass *pass)
{
	struct block_key copy = *key;

	if (pass->purge_tgid)
		block_purge(&copy, pass);
	else
		block_thin(&copy, b, pass);
	return 0;
}

SEC("syscall")
int upkeep(struct upkeep_pass *arguments)
{
	struct upkeep_pass pass = {
		.interval = arguments->interval,
		.purge_tgid = arguments->purge_tgid,
	};

	bpf_for_each_map_elem(&outstanding, upkeep_block, &pass, 0);
	arguments->removed = pass.removed;
	return 0;
}

#endif
