/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * A call in progress: what is carried from a function's entry to its return,
 * per thread. Kept in place between calls (a look-up is cheaper than insert
 * and delete); removed when the thread exits.
 */
#ifndef BPF_CALLS_H
#define BPF_CALLS_H

#include "arch.h"
#include "js_frames.h"
#include "outstanding.h"
#include "shared.h"
#include "stacks.h"

static __always_inline struct call_slot *call_slot(__u32 tid)
{
	__u32 slot = tid & (CALL_SLOTS - 1);

	return bpf_map_lookup_elem(&call_slots, &slot);
}

static __always_inline struct pending *call_find(__u32 tid, __u32 is_map)
{
	struct pending_key key = {.tid = tid, .is_map = is_map};
	struct call_slot *slot = is_map ? NULL : call_slot(tid);

	if (slot && slot->tid == tid)
		return &slot->call;
	return bpf_map_lookup_elem(&pending, &key);
}

/* A place for a thread that has none yet. */
static __always_inline struct pending *call_new(__u32 tid, __u32 is_map)
{
	struct pending_key key = {.tid = tid, .is_map = is_map};
	struct call_slot *slot = is_map ? NULL : call_slot(tid);
	struct pending fresh = {};

	if (slot && !__sync_val_compare_and_swap(&slot->tid, 0, tid))
		return &slot->call;
	bpf_map_update_elem(&pending, &key, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&pending, &key);
}

/* A call that will never return (thread died or jumped out of it): the block
 * it had set aside is gone with it. */
static __always_inline void call_abandon(struct pending *p)
{
	/* Its return probe may have been taken out with the others. */
	if (p->state == PENDING_SAMPLED)
		count(p->window == window_number ? COUNTER_LOST_ABANDONED
						 : COUNTER_CUT,
		      1);
	if (p->old.booking) {
		block_freed(&p->old);
		p->old.booking = 0;
	}
	p->state = PENDING_IDLE;
}

/* `p`: what call_find gave. */
static __always_inline struct pending *call_begin(struct pending *p, __u32 tid,
						  __u32 is_map)
{
	if (!p)
		p = call_new(tid, is_map);
	if (!p) {
		count(COUNTER_LOST_PENDING, 1);
		return NULL;
	}
	if (p->state != PENDING_IDLE)
		call_abandon(p);
	return p;
}

/* The thread is at its end. */
static __always_inline void call_forget(__u32 tid, __u32 is_map)
{
	struct pending_key key = {.tid = tid, .is_map = is_map};
	struct call_slot *slot = is_map ? NULL : call_slot(tid);
	struct pending *p = call_find(tid, is_map);

	if (!p)
		return;
	if (p->state != PENDING_IDLE)
		call_abandon(p);
	if (slot && slot->tid == tid)
		slot->tid = 0;
	else
		bpf_map_delete_elem(&pending, &key);
}

/* The call that returns here, or NULL: a return probe also fires for calls
 * that were not begun (not sampled, nested). */
static __always_inline struct pending *call_end(struct pt_regs *ctx, __u32 tid,
						__u32 is_map, __u64 cookie)
{
	struct pending *p = call_find(tid, is_map);

	/* After the return the stack pointer is one slot above the entry's. */
	if (!p || p->state == PENDING_IDLE || p->cookie != cookie ||
	    p->entry_sp + 8 != PT_REGS_SP(ctx))
		return NULL;
	return p;
}

/* The probed address itself; on x86 the kernel sets ip to it. */
static __always_inline __u64 entry_sp_of(struct pt_regs *ctx, __u64 cookie)
{
	return PT_REGS_SP(ctx) + PROBE_COOKIE_DEPTH(cookie);
}

/* One sample in 16 is timed. */
#define TIMING_MASK 15

static __always_inline __u64 timing_start(void)
{
	return bpf_get_prandom_u32() & TIMING_MASK ? 0 : bpf_ktime_get_ns();
}

/* Longer than that no sample takes: the thread was preempted meanwhile. */
#define TIMING_MAX_NS 40000

static __always_inline void timing_stop(__u64 start, __u32 counter)
{
	__u64 took;

	if (!start)
		return;
	took = bpf_ktime_get_ns() - start;
	if (took <= TIMING_MAX_NS)
		count(counter, took * (TIMING_MASK + 1));
}

/* Walks and interns the stack of a probed call. STACK_ID_NONE when it is not
 * to be recorded: nested in another allocator call, or no scratch space. */
static __always_inline __u32 call_stack(struct pt_regs *ctx, __u32 tgid,
					__u32 epoch, __u64 cookie,
					bool any_allocator, bool timed)
{
	struct scratch *s = scratch_get();
	__u64 start = 0;
	__u32 id;

	if (!s) {
		count(COUNTER_LOST_SCRATCH, 1);
		return STACK_ID_NONE;
	}
	if (timed)
		start = bpf_ktime_get_ns();
	walk_from_site(&s->walk, tgid, epoch, STACK_SOURCE_NATIVE,
		       PT_REGS_IP(ctx), entry_sp_of(ctx, cookie),
		       PT_REGS_FP(ctx));
	timing_stop(start, COUNTER_UNWIND_NS);
	if (s->walk.caller_is_allocator ||
	    (any_allocator && s->walk.allocators)) {
		count(COUNTER_NESTED, 1);
		id = STACK_ID_NONE;
	} else {
		id = stack_intern(&s->walk);
	}
	scratch_put(s);
	return id;
}

#endif
