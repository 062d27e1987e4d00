/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What happens to targets besides allocating: new objects, exec, threads that
 * end, processes that share their memory. Raw tracepoints need no tracefs.
 */
#ifndef BPF_LIFECYCLE_H
#define BPF_LIFECYCLE_H

#include "calls.h"
#include "go_heap.h"

/* The dynamic loader has changed its list of objects. */
static __always_inline int loader_state(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);

	if (!hit_admit(&cookie))
		return 0;
	count_site(cookie);
	send_event(EVENT_MAPS_CHANGED, bpf_get_current_pid_tgid() >> 32, 0);
	return 0;
}

/* The loader decides whether it wants it. */
static __always_inline void process_started(__u32 tgid)
{
	if (!starts_watched)
		return;
	if (__sync_fetch_and_add(&starts_sent, 1) < STARTS_AT_ONCE)
		send_event(EVENT_STARTED, tgid, 0);
	else
		__sync_fetch_and_add(&starts_missed, 1);
}

SEC("raw_tp/sched_process_exec")
int process_exec(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!bpf_map_lookup_elem(&targets, &tgid)) {
		process_started(tgid);
		return 0;
	}
	js_thread_forget(tgid); /* it is the only thread now */
	send_event(EVENT_EXEC, tgid, 0);
	return 0;
}

SEC("raw_tp/sched_process_exit")
int thread_exit(struct bpf_raw_tracepoint_args *ctx)
{
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32;

	if (!bpf_map_lookup_elem(&targets, &tgid))
		return 0;
	call_forget((__u32)id, 0);
	call_forget((__u32)id, 1);
	call_forget((__u32)id, GO_FREEING);
	js_thread_forget((__u32)id);
	return 0;
}

/* vfork and clone(CLONE_VM) without CLONE_THREAD: the child's frees are its
 * parent's. fork: the child's blocks are its own business, but it inherits the
 * breakpoints. TP_PROTO(struct task_struct *parent, struct task_struct *child)
 */
SEC("raw_tp/sched_process_fork")
int process_fork(struct bpf_raw_tracepoint_args *ctx)
{
	struct task_struct *parent = (void *)ctx->args[0];
	struct task_struct *child = (void *)ctx->args[1];
	__u32 parent_tgid = BPF_CORE_READ(parent, tgid);
	__u32 child_tgid = BPF_CORE_READ(child, tgid);
	struct target *target;
	bool shares;

	if (parent_tgid == child_tgid)
		return 0;
	target = bpf_map_lookup_elem(&targets, &parent_tgid);
	shares = BPF_CORE_READ(parent, mm) == BPF_CORE_READ(child, mm);
	/* One that shares memory is nearly always about to call exec. */
	if (!shares)
		process_started(child_tgid);
	if (!target)
		return 0;
	if (shares)
		send_event(EVENT_SHARES_MEMORY, parent_tgid, child_tgid);
	else if (!__sync_val_compare_and_swap(&target->fork_raised, 0, 1))
		send_event(EVENT_FORKED, parent_tgid, child_tgid);
	return 0;
}

#endif
