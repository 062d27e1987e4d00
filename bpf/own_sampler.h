/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event sources that are samplers of the target itself: a block comes with the
 * probability it was sampled with, and is booked like any other.
 */
#ifndef BPF_OWN_SAMPLER_H
#define BPF_OWN_SAMPLER_H

#include "calls.h"

/*
 * The target samples with `threshold` (P * 2^32, 0: P = 1). Where it samples
 * finer than asked for, or than there is room for, part of its samples are
 * left out: P' / P of them are kept, with P'. False: not this one.
 */
static __always_inline bool own_sample_kept(__u64 size, __u32 *threshold)
{
	__u64 interval = sampling.interval_bytes;
	__u32 ours = sampling_threshold(size, interval);

	if (!interval || !ours || (*threshold && ours >= *threshold))
		return true;
	if (!thin_survives(*threshold, ours))
		return false;
	*threshold = ours;
	return true;
}

/* Walks from a probe that has `entry_sp` as its stack pointer and its caller's
 * frame pointer, see call_stack; or, `inside`, from one in the middle of a
 * function. */
static __always_inline __u32 own_sample_stack(struct pt_regs *ctx, __u32 tgid,
					      __u32 epoch, __u32 source,
					      bool inside)
{
	struct scratch *s = scratch_get();
	__u64 start = timing_start();
	__u32 id;

	if (!s) {
		count(COUNTER_LOST_SCRATCH, 1);
		return STACK_ID_NONE;
	}
	if (inside)
		walk_from_inside(&s->walk, tgid, epoch, source, PT_REGS_IP(ctx),
				 PT_REGS_SP(ctx), PT_REGS_FP(ctx));
	else
		walk_from_site(&s->walk, tgid, epoch, source, PT_REGS_IP(ctx),
			       PT_REGS_SP(ctx), PT_REGS_FP(ctx));
	id = stack_intern(&s->walk);
	scratch_put(s);
	timing_stop(start, COUNTER_SAMPLE_NS);
	return id;
}

#endif
