/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: uprobes on allocation and free functions.
 *
 * entry:  read the size, draw the sample. Nearly always: not sampled, done
 *         (and with session links the return is not even trapped). Otherwise
 *         walk the stack now, before a return probe touches it.
 * return: the pointer is known: book the block.
 * free:   take the block off the books, if it is on them.
 */
#ifndef BPF_ALLOC_H
#define BPF_ALLOC_H

#include "calls.h"

/* What the arguments of an allocation say. */
struct request {
	__u64 size;
	__u64 old;  /* realloc's block */
	__u64 out;  /* where posix_memalign stores the pointer */
	bool valid; /* false: will fail (calloc overflow) */
};

/* n * size; exact about overflow, without a 128-bit multiplication. */
static __always_inline void request_product(struct request *r, __u64 n,
					    __u64 size)
{
	__u64 n_high = n >> 32, size_high = size >> 32;
	__u64 low = (n & 0xffffffff) * (size & 0xffffffff);
	__u64 high = n_high * (size & 0xffffffff) +
		     size_high * (n & 0xffffffff) + (low >> 32);

	r->size = n * size;
	r->valid = !(n_high && size_high) && !(high >> 32);
}

static __always_inline void request_read(struct request *r, struct pt_regs *ctx,
					 __u32 kind)
{
	__u64 first = PT_REGS_PARM1(ctx);
	__u64 second = PT_REGS_PARM2(ctx);
	__u64 third = PT_REGS_PARM3(ctx);

	/* All loads here: the verifier rejects the computed context offset
	 * that the compiler would make of loads in the branches. */
	barrier_var(first);
	barrier_var(second);
	barrier_var(third);
	r->old = 0;
	r->out = 0;
	r->valid = true;
	switch (kind) {
	case ALLOC_COUNT_SIZE:
		request_product(r, first, second);
		break;
	case ALLOC_ALIGN_SIZE:
		r->size = second;
		break;
	case ALLOC_OUT_ALIGN_SIZE:
		r->out = first;
		r->size = third;
		break;
	case ALLOC_REALLOC:
		r->old = first;
		r->size = second;
		break;
	case ALLOC_REALLOC_COUNT:
		r->old = first;
		request_product(r, second, third);
		break;
	case ALLOC_HEAP_COUNT_SIZE:
		request_product(r, second, third);
		break;
	case ALLOC_HEAP_REALLOC:
		r->old = second;
		r->size = third;
		break;
	default:
		r->size = first;
	}
}

/* Draws the sample. True: sampled with *threshold. */
static __always_inline bool request_sampled(const struct request *r,
					    __u32 *threshold)
{
	__u64 interval = sampling.interval_bytes;
	__u32 random;

	*threshold = 0;
	if (!r->valid || r->size < filter_min_size || r->size > filter_max_size)
		return false;
	if (!interval)
		return true;
	random = bpf_get_prandom_u32();
	if (!sampling_maybe(r->size, interval, random))
		return false;
	*threshold = sampling_threshold(r->size, interval);
	return !*threshold || random < *threshold;
}

/* A jump from one probed function to another is one call: it arrives with the
 * same stack pointer while the first one is still pending. */
static __always_inline bool tail_called(struct pending *p, __u64 entry_sp,
					__u64 cookie)
{
	if (!p || p->state == PENDING_IDLE || p->entry_sp != entry_sp ||
	    p->cookie == cookie)
		return false;
	/* More than a chain of wrappers: a stale entry of a lost call. */
	return p->suppressed++ < 4;
}

static __always_inline int call_watch(__u32 tid, __u64 entry_sp, __u64 cookie)
{
	struct pending *p = call_find(tid, 0);

	/* Inside another call (its frame is further up): leave that one alone.
	 * Should it be a lost one, the next sample clears it away. */
	if (p && p->state != PENDING_IDLE && p->entry_sp > entry_sp)
		return 1;
	/* Jumped to by the call that is pending, which may be a sample. */
	if (tail_called(p, entry_sp, cookie))
		return 1;
	p = call_begin(p, tid, 0);
	if (!p)
		return 1;
	p->entry_sp = entry_sp;
	p->cookie = cookie;
	p->old.booking = 0;
	p->suppressed = 0;
	p->state = PENDING_WATCHED;
	return 0;
}

/* Sampled, or it may end a block's life: the slow path. 0: the return matters,
 * 1: it does not. */
static __always_inline int alloc_record(struct pt_regs *ctx, __u64 cookie,
					const struct request *r, bool sampled,
					__u32 threshold, bool timed)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, tid = (__u32)id, stack = STACK_ID_NONE;
	__u64 entry_sp = entry_sp_of(ctx, cookie);
	struct target *target = target_find(tgid);
	struct block old = {};
	struct pending *p;

	if (!target) {
		count(COUNTER_NOT_A_TARGET, 1);
		return 1;
	}
	if (PROBE_COOKIE_FLAGS(cookie) & PROBE_THROWS &&
	    r->size >= target->throwing_size_limit) {
		count(COUNTER_DECLINED_THROW, 1);
		return 1;
	}
	p = call_find(tid, 0);
	if (tail_called(p, entry_sp, cookie)) {
		count(COUNTER_NESTED, 1);
		return 1;
	}
	sampled = sampled && !births_unseen(target);
	if (sampled)
		stack = call_stack(ctx, tgid, target->map_epoch, cookie, false,
				   timed);
	/* Set the old block aside now: once the call has freed it, another
	 * thread may be handed its address before this call returns. */
	if (r->old && r->valid)
		block_take(r->old, target->owner, &old);
	if (stack == STACK_ID_NONE && !old.booking) {
		/* Nested: whatever it jumps to is nested, too. */
		if (sampled || !(PROBE_COOKIE_FLAGS(cookie) & PROBE_TAIL_CALLS))
			return 1;
		return call_watch(tid, entry_sp, cookie);
	}
	p = call_begin(p, tid, 0);
	if (!p) {
		if (old.booking)
			block_freed(&old);
		return 1;
	}
	p->entry_sp = entry_sp;
	p->cookie = cookie;
	p->size = r->size;
	p->out_pointer = r->out;
	p->old_address = r->old;
	p->old = old;
	p->owner = target->owner;
	p->stack = stack;
	p->threshold = threshold;
	p->window = window_number;
	p->suppressed = 0;
	p->large = 0;
	p->state = stack == STACK_ID_NONE ? PENDING_WATCHED : PENDING_SAMPLED;
	return 0;
}

/* True when realloc's old block is on the books. */
static __always_inline bool old_is_tracked(const struct request *r)
{
	if (!r->old)
		return false;
	return shared_targets ||
	       block_find(r->old, bpf_get_current_pid_tgid() >> 32) !=
		       BLOCK_NOWHERE;
}

static __always_inline int alloc_entered(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), metered = cookie;
	struct request r;
	__u32 threshold;
	bool sampled;
	__u64 start;
	int verdict;

	if (!hit_admit(&metered))
		return 1;
	count_site(metered);
	if (hit_is_others(cookie) && !hit_is_shared(cookie))
		return 1;
	request_read(&r, ctx, PROBE_COOKIE_KIND(cookie));
	sampled = request_sampled(&r, &threshold) && hit_tells_births(cookie);
	if (!sampled && !old_is_tracked(&r)) {
		if (!(PROBE_COOKIE_FLAGS(cookie) & PROBE_TAIL_CALLS))
			return 1;
		return call_watch((__u32)bpf_get_current_pid_tgid(),
				  entry_sp_of(ctx, cookie), cookie);
	}
	start = timing_start();
	verdict = alloc_record(ctx, cookie, &r, sampled, threshold, start != 0);
	timing_stop(start, COUNTER_SAMPLE_NS);
	return verdict;
}

/* The block that the call handed out, 0 when it failed. */
static __always_inline __u64 call_result(struct pt_regs *ctx, __u64 cookie,
					 const struct pending *p)
{
	__u64 pointer = PT_REGS_RC(ctx);

	if (PROBE_COOKIE_KIND(cookie) != ALLOC_OUT_ALIGN_SIZE)
		return pointer;
	if ((__u32)pointer || bpf_probe_read_user(&pointer, sizeof(pointer),
						  (void *)p->out_pointer))
		return 0;
	return pointer;
}

static __always_inline void sample_booked(const struct pending *p,
					  __u64 pointer)
{
	__u64 start = timing_start();

	block_allocated(p->owner, pointer, p->size, p->stack, p->threshold);
	timing_stop(start, COUNTER_SAMPLE_NS);
}

static __always_inline void sample_ended(const struct block *b)
{
	__u64 start = timing_start();

	block_died(b);
	timing_stop(start, COUNTER_SAMPLE_NS);
}

static __always_inline int alloc_returned(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct pending *p;
	__u64 pointer;

	count_work(COUNTER_RETURN_HITS, 1);
	p = call_end(ctx, tid, 0, cookie);
	if (!p)
		return 0;
	pointer = call_result(ctx, cookie, p);
	if (p->old.booking) {
		/* realloc failed: the old block lives on. realloc(p, 0) that
		 * returns NULL has freed it. */
		if (pointer || !p->size)
			block_died(&p->old);
		else
			block_put(p->old_address, &p->old);
		p->old.booking = 0;
	}
	if (p->state == PENDING_SAMPLED) {
		if (!pointer)
			count(COUNTER_FAILED, 1);
		else if (!p->large)
			sample_booked(p, pointer);
	}
	p->state = PENDING_IDLE;
	return 0;
}

static __always_inline int free_entered(struct pt_regs *ctx)
{
	__u64 address = PT_REGS_PARM1(ctx);
	__u32 owner = bpf_get_current_pid_tgid() >> 32;
	__u64 cookie = bpf_get_attach_cookie(ctx);
	struct block b;

	if (!hit_admit(&cookie))
		return 0;
	count_site(cookie);
	if (!address)
		return 0;
	if (shared_targets) {
		struct target *target = target_find(owner);

		if (target)
			owner = target->owner;
	}
	if (block_take(address, owner, &b))
		sample_ended(&b);
	return 0;
}

#endif
