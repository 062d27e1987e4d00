/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: mmap, munmap and mremap of the C library (--mmap). They are
 * rare and concern ranges, not addresses, so every call is sent to user space,
 * which keeps the regions (src/trace/regions.h). Calls made by an allocator
 * on behalf of malloc are left out: malloc has been counted.
 */
#ifndef BPF_MMAP_H
#define BPF_MMAP_H

#include "calls.h"

static __always_inline void map_send(struct map_event *e)
{
	if (bpf_ringbuf_output(&events, e, sizeof(*e), 0))
		count(COUNTER_LOST_EVENTS, 1);
}

static __always_inline int map_entered(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, kind = PROBE_COOKIE_KIND(cookie);
	struct target *target = target_find(tgid);
	__u64 length = PT_REGS_PARM2(ctx), new_length = PT_REGS_PARM3(ctx);
	__u32 stack = STACK_ID_NONE;
	struct pending *p;

	barrier_var(length);
	barrier_var(new_length);
	count_site(cookie);
	if (!target)
		return 1;
	if (kind == MAP_MUNMAP) {
		/* At entry: afterwards the range may be another thread's. */
		struct map_event e = {
			.header = {.type = EVENT_MAP, .tgid = target->owner},
			.operation = MAP_OP_UNMAP,
			.tid = (__u32)id,
			.address = PT_REGS_PARM1(ctx),
			.length = length,
			.time_ns = bpf_ktime_get_ns(),
		};

		if (e.address & 4095 || !e.length)
			return 1;
		map_send(&e);
	} else {
		stack = call_stack(ctx, tgid, target->map_epoch, cookie, true,
				   timing_start() != 0);
		if (stack == STACK_ID_NONE && kind == MAP_MMAP)
			return 1;
	}
	p = call_begin(call_find((__u32)id, 1), (__u32)id, 1);
	if (!p)
		return 1;
	p->entry_sp = entry_sp_of(ctx, cookie);
	p->cookie = cookie;
	p->old_address = PT_REGS_PARM1(ctx);
	p->old_length = length;
	p->size = kind == MAP_MREMAP ? new_length : length;
	p->stack = stack;
	p->state = PENDING_WATCHED;
	return 0;
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
	e.header.type = EVENT_MAP;
	e.header.tgid = target->owner;
	e.tid = (__u32)id;
	e.stack = p->stack;
	e.time_ns = bpf_ktime_get_ns();
	e.address = PT_REGS_RC(ctx);
	e.length = p->size;
	e.old_address = p->old_address;
	e.old_length = p->old_length;
	if (kind == MAP_MUNMAP) {
		if (!failed)
			return 0;
		e.operation = MAP_OP_UNMAP_FAILED;
		e.address = p->old_address;
	} else if ((__s64)e.address == -1) {
		return 0;
	} else {
		e.operation = kind == MAP_MREMAP ? MAP_OP_REMAP : MAP_OP_MAP;
	}
	map_send(&e);
	return 0;
}

#endif
