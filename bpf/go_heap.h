/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: Go's own heap sampler. The runtime calls mProf_Malloc for each
 * allocation that it samples, on the stack of the goroutine that allocates, and
 * mProf_Free from freeSpecial when the sweeper finds a sampled object dead. All
 * probes stand at entries: Go moves stacks, so nothing may be put on them.
 *
 * A function whose stack is too small is entered again once it has been moved
 * to a larger one, so any of these may be seen twice.
 */
#ifndef BPF_GO_HEAP_H
#define BPF_GO_HEAP_H

#include "own_sampler.h"

/* What runtime.MemProfileRate is unless the program sets it. */
#define GO_RATE_DEFAULT (512 << 10)
/* Go asks for its heap from there upwards (runtime/malloc.go, mallocinit);
 * where the kernel declines it is higher still. No size is as large. */
#define GO_HEAP_LOWEST 0xc000000000ULL

/* Objects whose special record is being freed, by thread: the key's is_map
 * that neither malloc nor mmap uses. */
#define GO_FREEING 2

static __always_inline __u64 go_rate(const struct target *target)
{
	__u64 rate;

	if (!target->rate_address ||
	    bpf_probe_read_user(&rate, sizeof(rate),
				(void *)target->rate_address) ||
	    !rate)
		return GO_RATE_DEFAULT;
	return rate < SAMPLING_INTERVAL_MAX ? rate : SAMPLING_INTERVAL_MAX;
}

/* mProf_Malloc(p, size), since Go 1.23 mProf_Malloc(m, p, size, ...). */
static __always_inline int go_allocated(struct pt_regs *ctx)
{
	__u64 p = ARCH_GO_ARG1(ctx), size = ARCH_GO_ARG2(ctx);
	__u64 third = ARCH_GO_ARG3(ctx);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, threshold, stack;
	struct target *target = target_find(tgid);
	__u64 rate;

	if (!target) {
		count(COUNTER_NOT_A_TARGET, 1);
		return 0;
	}
	if (size >= GO_HEAP_LOWEST) {
		p = size;
		size = third;
	}
	if (size < filter_min_size || size > filter_max_size)
		return 0;
	rate = go_rate(target);
	/* At a rate of 1 Go samples every object. */
	threshold = rate > 1 ? sampling_threshold(size, rate) : 0;
	if (!own_sample_kept(size, &threshold) ||
	    block_find(p, target->owner) != BLOCK_NOWHERE)
		return 0;
	stack = own_sample_stack(ctx, tgid, target->map_epoch,
				 STACK_SOURCE_GO_HEAP, false);
	if (stack != STACK_ID_NONE)
		block_allocated(target->owner, p, size, stack, threshold);
	return 0;
}

/* freeSpecial(special, p, size): of any kind, a finalizer's too. */
static __always_inline int go_free_special(struct pt_regs *ctx)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct pending *p = call_find(tid, GO_FREEING);

	if (!p)
		p = call_new(tid, GO_FREEING);
	if (p)
		p->old_address = ARCH_GO_ARG2(ctx);
	else
		count(COUNTER_LOST_PENDING, 1);
	return 0;
}

/* mProf_Free(bucket, size): the special was one of the profiler. */
static __always_inline int go_freed(struct pt_regs *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	struct pending *p = call_find((__u32)id, GO_FREEING);
	struct target *target = target_find(id >> 32);
	struct block b;

	if (!p || !target || !p->old_address)
		return 0;
	if (block_take(p->old_address, target->owner, &b))
		block_freed(&b);
	p->old_address = 0;
	return 0;
}

static __always_inline int go_heap_event(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	count_site(cookie);
	switch (PROBE_COOKIE_KIND(cookie)) {
	case GO_MALLOC:
		return go_allocated(ctx);
	case GO_FREE_SPECIAL:
		return go_free_special(ctx);
	case GO_FREE:
		return go_freed(ctx);
	case GO_GC_BEGIN:
		send_event(EVENT_GO_GC_BEGIN, tgid, bpf_ktime_get_ns());
		return 0;
	case GO_GC_END:
		send_event(EVENT_GO_GC_END, tgid, bpf_ktime_get_ns());
		return 0;
	}
	return 0;
}

#endif
