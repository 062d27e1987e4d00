/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: mmap, munmap and mremap of the C library. They are rare and
 * concern ranges, not addresses, so every call is sent to user space, which
 * keeps the regions (src/trace/regions.h): all but those made by an allocator
 * on behalf of malloc, which has been counted (--mmap), or only some of those
 * (large_blocks.h), or both.
 */
#ifndef BPF_MMAP_H
#define BPF_MMAP_H

#include "large_blocks.h"

static __always_inline void map_send(struct map_event *e)
{
	if (bpf_ringbuf_output(&events, e, sizeof(*e), 0))
		count(COUNTER_LOST_EVENTS, 1);
}

/* At entry: afterwards the range may be another thread's. */
static __always_inline bool map_removed(const struct target *target, __u32 tid,
					__u64 address, __u64 length)
{
	struct map_event e = {
		.header = {.type = EVENT_MAP, .tgid = target->owner},
		.operation = MAP_OP_UNMAP,
		.tid = tid,
		.address = address,
		.length = length,
		.time_ns = bpf_ktime_get_ns(),
	};

	if (address & 4095 || !length)
		return false;
	if (target->large_blocks)
		large_block_taken(target->owner, address);
	if (all_maps || length >= LARGE_BLOCK_BYTES)
		map_send(&e);
	return all_maps;
}

/* Whose mapping it will be; STACK_ID_NONE: it does not count. */
static __always_inline __u32 map_stack(struct pt_regs *ctx,
				       const struct target *target, __u32 tgid,
				       __u64 cookie, bool *large)
{
	struct scratch *s = scratch_get();
	__u32 id = STACK_ID_NONE;

	if (!s) {
		count(COUNTER_LOST_SCRATCH, 1);
		return STACK_ID_NONE;
	}
	walk_from_site(&s->walk, tgid, target->map_epoch, STACK_SOURCE_NATIVE,
		       PT_REGS_IP(ctx), entry_sp_of(ctx, cookie),
		       PT_REGS_FP(ctx));
	*large = *large && large_block_caller(&s->walk);
	if (*large)
		large_block_walk(&s->walk);
	if (*large || (all_maps && !s->walk.allocators))
		id = stack_intern(&s->walk);
	else
		count(COUNTER_NESTED, 1);
	scratch_put(s);
	return id;
}

/* Zero: its return matters. */
static __always_inline int map_watch(struct pt_regs *ctx,
				     const struct target *target, __u32 tgid,
				     __u32 tid, __u64 cookie)
{
	__u32 kind = PROBE_COOKIE_KIND(cookie), stack = STACK_ID_NONE;
	__u64 first = PT_REGS_PARM1(ctx), length = PT_REGS_PARM2(ctx);
	__u64 third = PT_REGS_PARM3(ctx);
	bool large = target->large_blocks && large_block_mapped(ctx, kind);
	struct pending *p;

	barrier_var(first);
	barrier_var(length);
	barrier_var(third);
	if (kind != MAP_MUNMAP) {
		if (!all_maps && !large)
			return 1;
		stack = map_stack(ctx, target, tgid, cookie, &large);
		if (stack == STACK_ID_NONE && kind == MAP_MMAP)
			return 1;
	}
	p = call_begin(call_find(tid, 1), tid, 1);
	if (!p)
		return 1;
	p->entry_sp = entry_sp_of(ctx, cookie);
	p->cookie = cookie;
	p->old_address = first;
	p->old_length = length;
	p->size = kind == MAP_MREMAP ? third : length;
	p->stack = stack;
	p->large = large;
	p->suppressed = kind == MAP_MREMAP && large &&
			large_block_taken(target->owner, first);
	p->state = PENDING_WATCHED;
	return 0;
}

static __always_inline int map_entered(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), start = bpf_ktime_get_ns();
	__u64 id = bpf_get_current_pid_tgid();
	struct target *target = target_find(id >> 32);
	__u64 address = PT_REGS_PARM1(ctx), length = PT_REGS_PARM2(ctx);
	__u64 metered = cookie;
	int verdict;

	barrier_var(address);
	barrier_var(length);
	if (!hit_admit(&metered) || hit_is_others(cookie))
		return 1;
	count_site(metered);
	if (!target || (PROBE_COOKIE_KIND(cookie) == MAP_MUNMAP &&
			!map_removed(target, (__u32)id, address, length)))
		return 1;
	verdict = map_watch(ctx, target, id >> 32, (__u32)id, cookie);
	meter_work(metered, METER_MAPS, bpf_ktime_get_ns() - start);
	return verdict;
}

static __always_inline void map_event_of(struct map_event *e,
					 const struct pending *p)
{
	e->header.type = EVENT_MAP;
	e->stack = p->stack;
	e->time_ns = bpf_ktime_get_ns();
	e->length = p->size;
	e->old_address = p->old_address;
	e->old_length = p->old_length;
}

static __always_inline int map_returned(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, kind = PROBE_COOKIE_KIND(cookie);
	struct pending *p = call_end(ctx, (__u32)id, 1, cookie);
	struct target *target;
	struct map_event e = {};
	bool failed;

	if (!p)
		return 0;
	p->state = PENDING_IDLE;
	target = target_find(tgid);
	if (!target)
		return 0;
	failed = (__s64)PT_REGS_RC(ctx) == -1 || (__s32)PT_REGS_RC(ctx) == -1;
	map_event_of(&e, p);
	e.header.tgid = target->owner;
	e.tid = (__u32)id;
	e.address = PT_REGS_RC(ctx);
	if (kind == MAP_MUNMAP) {
		if (!failed)
			return 0;
		e.operation = MAP_OP_UNMAP_FAILED;
		e.address = p->old_address;
	} else if ((__s64)e.address == -1) {
		return 0;
	} else {
		/* What has just been taken off the books comes as new. */
		e.operation = kind == MAP_MREMAP && !p->suppressed
				      ? MAP_OP_REMAP
				      : MAP_OP_MAP;
	}
	if (p->large)
		large_block_claim((__u32)id, p->entry_sp);
	map_send(&e);
	return 0;
}

#endif
