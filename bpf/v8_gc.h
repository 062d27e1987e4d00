/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * V8's collections: what becomes of the sampled objects. All of this runs in
 * the pause, on the thread that collects; other threads of the isolate stand
 * still, and samples of other isolates are left alone.
 */
#ifndef BPF_V8_GC_H
#define BPF_V8_GC_H

#include "v8_alloc.h"
#include "v8_passes.h"
#include "v8_pauses.h"

static __always_inline void v8_gc_begin(struct v8_heap *h, __u64 heap,
					const struct v8_layout *l, __u32 owner)
{
	__u32 tid = (__u32)bpf_get_current_pid_tgid();

	h->tid = tid;
	h->gc_begin_ns = bpf_ktime_get_ns();
	h->collecting = 1;
	h->size_due = 0;
	v8_count_all(l, h, owner);
	bpf_map_update_elem(&v8_collectors, &tid, &heap, BPF_ANY);
}

/* enum GarbageCollector in V8's src/common/globals.h */
#define V8_GC_SCAVENGE	   0
#define V8_GC_MARK_COMPACT 1

static __always_inline void v8_gc_end(struct v8_process *p, struct v8_heap *h,
				      struct v8_pass *pass, __u32 kind,
				      __u64 cookie)
{
	__u64 now = bpf_ktime_get_ns(), pause = now - h->gc_begin_ns;

	/* It had begun before the probes were set: what was sampled since are
	 * objects it has moved. */
	if (!h->collecting) {
		v8_forget_heap(pass);
		return;
	}
	if (kind == V8_GC_SCAVENGE) {
		h->scavenges++;
		h->scavenge_ns += pause;
	} else if (kind == V8_GC_MARK_COMPACT) {
		h->full_gcs++;
		h->full_gc_ns += pause;
		h->last_full_ns = now;
		h->size_due = 1;
		send_event(EVENT_V8_FULL_GC, pass->owner, pass->heap);
	} else {
		h->other_gcs++;
	}
	h->collecting = 0;
	v8_pause_ended(p, h, pause, cookie);
	v8_interval_adjust(h, now);
}

/* The pass over all samples that belongs to the probed point. */
__noinline int v8_gc_pass(struct v8_heap *h, struct v8_pass *given, __u32 kind)
{
	__u64 start = bpf_ktime_get_ns();
	struct v8_pass pass;

	if (!h || !given)
		return 0;
	pass = *given;
	pass.now_ns = start;
	if (kind == V8_SCAVENGED) {
		h->scavenged++;
		if (v8_thin_more())
			bpf_loop(v8_old_top, v8_thinned_old, &pass, 0);
		v8_over_young(&pass, V8_SCAVENGE);
	} else if (kind == V8_MARKED) {
		h->marked++;
		v8_thin_more();
		v8_over_young(&pass, V8_MARK);
		bpf_loop(v8_old_top, v8_marked_old, &pass, 0);
	} else {
		h->evacuated++;
		v8_over_young(&pass, V8_EVACUATE);
		bpf_loop(v8_old_top, v8_evacuated_old, &pass, 0);
	}
	h->forward_bad += pass.forward_bad;
	start = bpf_ktime_get_ns() - start;
	h->passes_ns += start;
	if (start > h->pass_ns_max)
		h->pass_ns_max = start;
	return 0;
}

/* The heap's thread ends with its process: the figures stay for the report.
 * That of a worker goes alone. */
static __always_inline void v8_gc_gone(struct v8_pass *pass, __u32 tgid)
{
	struct v8_key key = {.address = pass->heap, .owner = pass->owner};

	if ((__u32)bpf_get_current_pid_tgid() == tgid)
		return;
	v8_forget_heap(pass);
	bpf_map_delete_elem(&v8_heaps, &key);
	send_event(EVENT_V8_HEAP_GONE, pass->owner, pass->heap);
}

static __always_inline void v8_pass_init(struct v8_pass *pass, __u64 heap,
					 __u32 owner, const struct v8_layout *l)
{
	pass->heap = heap;
	pass->owner = owner;
	pass->page_flags = l->page_flags;
	pass->page_metadata = l->page_metadata;
	pass->mark_bits = l->metadata_mark_bits;
	pass->type_first_nonstring = l->type_first_nonstring;
}

static __always_inline int v8_collection(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx), *heap, first;
	__u32 kind = PROBE_COOKIE_KIND(cookie), second;
	__u64 id = bpf_get_current_pid_tgid();
	__u32 tgid = id >> 32, tid = (__u32)id;
	struct target *target = target_find(tgid);
	struct v8_pass pass = {};
	struct v8_process *p;
	struct v8_heap *h;

	first = PT_REGS_PARM1(ctx);
	second = PT_REGS_PARM2(ctx);
	barrier_var(first);
	barrier_var(second);
	count_site(cookie);
	if (!target)
		return 0;
	pass.owner = target->owner;
	p = bpf_map_lookup_elem(&v8_processes, &pass.owner);
	if (!p)
		return 0;
	if (kind == V8_SCAVENGED || kind == V8_MARKED) {
		/* `this` is a collector: the heap is the thread's. */
		heap = bpf_map_lookup_elem(&v8_collectors, &tid);
		if (!heap)
			return 0;
		first = *heap;
	}
	v8_pass_init(&pass, first, pass.owner, &p->layout);
	h = v8_heap_get(first, pass.owner);
	if (!h)
		return 0;
	if (kind == V8_GC_BEGIN) {
		__sync_fetch_and_add(&p->gc_epoch, 1);
		h->gc_begin_hits = v8_hits_so_far(cookie);
		v8_gc_begin(h, first, &p->layout, pass.owner);
	} else if (kind == V8_GC_END) {
		v8_gc_end(p, h, &pass, second, cookie);
		__sync_fetch_and_add(&p->gc_epoch, 1);
	} else if (kind == V8_TEAR_DOWN) {
		v8_gc_gone(&pass, tgid);
	} else if (h->collecting) {
		v8_gc_pass(h, &pass, kind);
	}
	return 0;
}

/* Started by the loader: takes the samples of process args[0] off the books.
 * Attached to nothing. No syscall program: those may sleep, and may not use
 * stack maps on Linux 6.1. */
SEC("raw_tp")
int v8_forget_process(struct bpf_raw_tracepoint_args *ctx)
{
	struct v8_pass pass = {.owner = ctx->args[0]};

	v8_forget_heap(&pass);
	return 0;
}

/* Heap::SizeOfObjects returns. The first time after the end of a collection it
 * is asked for the statistics (GCTracer::StopInSafepoint); later it is for
 * process.memoryUsage() and the like. */
static __always_inline int v8_size_returned(struct pt_regs *ctx)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u32 tid = (__u32)bpf_get_current_pid_tgid();
	struct target *target = target_find(tgid);
	__u64 *heap = bpf_map_lookup_elem(&v8_collectors, &tid);
	struct v8_heap *h;

	if (!target || !heap)
		return 0;
	h = v8_heap_find(*heap, target->owner);
	if (h && h->size_due) {
		h->size_due = 0;
		h->live_bytes = PT_REGS_RC(ctx);
	}
	return 0;
}

#endif
