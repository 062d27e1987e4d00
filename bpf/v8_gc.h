/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * V8's collections: what becomes of the sampled objects. All of this runs in
 * the pause, on the thread that collects; other threads of the isolate stand
 * still, and samples of other isolates are left alone.
 *
 *   scavenge   when the survivors have been copied, the first word of each
 *              object in from-space says where to, or that it is dead
 *   full       after marking, objects without their mark are dead; after
 *              evacuation, while the old pages are still mapped, the first
 *              word says where an object has gone, if it has
 *
 * V8 keeps an object's map, a tagged pointer, in its first word; a forwarding
 * address is untagged (map-word.h in src/objects of V8).
 */
#ifndef BPF_V8_GC_H
#define BPF_V8_GC_H

#include "v8_alloc.h"

struct v8_pass {
	__u64 heap; /* 0: all of the process */
	__u32 owner;
	__u32 forward_bad; /* forwarding addresses that made no sense */
	__u16 page_flags;
	__u16 page_metadata;
	__u16 mark_bits;
	__u16 type_first_nonstring;
};

enum v8_fate { V8_STAYS, V8_DEAD, V8_UNREADABLE };

/* ---- Reading the heap ------------------------------------------------------
 */

/* Follows a forwarding address, if there is one: V8_DEAD when not. */
static __always_inline enum v8_fate v8_forward(struct v8_sample *s,
					       struct v8_pass *pass)
{
	__u64 word;

	if (bpf_probe_read_user(&word, sizeof(word), (void *)s->address))
		return V8_UNREADABLE;
	if (word & V8_TAG)
		return V8_DEAD;
	if (!word || word & 7 || word >= ARCH_USER_ADDRESS_MAX) {
		pass->forward_bad++;
		return V8_UNREADABLE;
	}
	s->address = word;
	return V8_STAYS;
}

static __always_inline bool v8_page_flags(const struct v8_sample *s,
					  const struct v8_pass *pass,
					  __u64 *flags)
{
	__u64 page = s->address & ~(V8_PAGE_BYTES - 1);

	return !bpf_probe_read_user(flags, sizeof(*flags),
				    (void *)(page + pass->page_flags));
}

static __always_inline enum v8_fate v8_marked(const struct v8_sample *s,
					      const struct v8_pass *pass)
{
	__u64 page = s->address & ~(V8_PAGE_BYTES - 1), base = page, cell;
	__u64 bit = (s->address - page) / V8_CELL_BYTES;

	if (pass->page_metadata != V8_PAGE_INLINE &&
	    bpf_probe_read_user(&base, sizeof(base),
				(void *)(page + pass->page_metadata)))
		return V8_UNREADABLE;
	if (bpf_probe_read_user(
		    &cell, sizeof(cell),
		    (void *)(base + pass->mark_bits + (bit >> 6) * 8)))
		return V8_UNREADABLE;
	return cell >> (bit & 63) & 1 ? V8_STAYS : V8_DEAD;
}

/* ---- Thinning --------------------------------------------------------------
 */

/* Whether an old sample is kept; if so it stands for at least v8_weight_min
 * bytes, which is what keeps this without bias. */
__noinline int v8_thin(struct v8_sample *s)
{
	__u64 least = v8_weight_min, size, weight;

	if (!s)
		return 1;
	size = s->block.size;
	weight = sampling_bytes(size, BLOCK_THRESHOLD(s->block.booking));
	if (weight >= least || size >= least)
		return 1;
	if ((__u64)bpf_get_prandom_u32() * least >= weight << 32) {
		count(COUNTER_THINNED, 1);
		return 0;
	}
	v8_rebook(s, size, v8_threshold(size, least));
	return 1;
}

/* Old samples get too many: from now on each stands for more. False: they do
 * not. */
static __always_inline bool v8_thin_more(void)
{
	__u64 least = v8_weight_min;

	if (v8_old_count < (__s64)v8_old_high_water || least >> 40)
		return false;
	__sync_val_compare_and_swap(&v8_weight_min, least,
				    least ? least * 2 : V8_PAGE_BYTES);
	return true;
}

/* ---- From young to old ------------------------------------------------------
 */

/*
 * Bytes of an initialised object. Map: instance size in words at 8 (0: it
 * varies), instance type at 12. Strings have their length in characters at 12,
 * arrays at 8, as a Smi; elements of 8 bytes are taken for granted, as nearly
 * all have. 0: not known.
 */
static __always_inline __u64 v8_size_of(const struct v8_sample *s,
					const struct v8_pass *pass)
{
	__u64 map, facts, length, size;

	if (bpf_probe_read_user(&map, sizeof(map), (void *)s->address) ||
	    !(map & V8_TAG) ||
	    bpf_probe_read_user(&facts, sizeof(facts),
				(void *)(map - V8_TAG + 8)) ||
	    bpf_probe_read_user(&length, sizeof(length),
				(void *)(s->address + 8)))
		return 0;
	size = (facts & 0xff) * 8;
	if (size)
		return size;
	length >>= V8_SMI_SHIFT;
	size = 16 + length;
	if ((__u16)(facts >> 32) >= pass->type_first_nonstring)
		size += 7 * length;
	return size;
}

/* Now that the object is initialised, its size can be known. What the sample
 * stands for stays the same. */
__noinline int v8_measure(struct v8_sample *s, struct v8_pass *pass)
{
	__u64 weight, size;

	if (!s || !pass || s->sized)
		return 0;
	weight = sampling_bytes(s->block.size,
				BLOCK_THRESHOLD(s->block.booking));
	size = v8_size_of(s, pass);
	if (!size)
		return 0;
	s->sized = 1;
	if (size > weight)
		size = weight;
	return v8_rebook(s, size, v8_threshold(size, weight));
}

__noinline int v8_grow_old(__u32 index, struct v8_sample *s,
			   struct v8_pass *pass)
{
	struct v8_sample *old = NULL;

	if (!s || !pass)
		return 0;
	v8_measure(s, pass);
	if (v8_thin(s)) {
		old = v8_old_take();
		if (!old)
			count(COUNTER_V8_LOST_TABLE, 1);
	}
	if (!old) {
		v8_drop_young(index, s);
		return 0;
	}
	old->address = s->address;
	old->heap = s->heap;
	old->block.owner = s->block.owner;
	old->survived = s->survived;
	old->sized = s->sized;
	old->block.size = s->block.size;
	old->block.birth_ns = s->block.birth_ns;
	/* The booking moves, the totals stay as they are. */
	__sync_lock_test_and_set(
		&old->block.booking,
		__sync_lock_test_and_set(&s->block.booking, 0));
	bpf_map_push_elem(&v8_young_free, &index, 0);
	return 0;
}

/* ---- Passes ----------------------------------------------------------------
 */

static __always_inline struct v8_sample *v8_mine(struct v8_sample *s,
						 const struct v8_pass *pass)
{
	return s && s->block.booking && s->block.owner == pass->owner &&
			       (!pass->heap || s->heap == pass->heap)
		       ? s
		       : NULL;
}

static __always_inline struct v8_sample *v8_young_at(__u32 index,
						     const struct v8_pass *pass)
{
	return v8_mine(bpf_map_lookup_elem(&v8_young, &index), pass);
}

static __always_inline struct v8_sample *v8_old_at(__u32 index,
						   const struct v8_pass *pass)
{
	return v8_mine(bpf_map_lookup_elem(&v8_old, &index), pass);
}

static long v8_scavenged_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);
	enum v8_fate fate = V8_STAYS;
	__u64 flags;

	if (!s)
		return 0;
	if (!v8_page_flags(s, pass, &flags))
		fate = V8_UNREADABLE;
	else if (flags & V8_PAGE_FROM)
		fate = v8_forward(s, pass);
	if (fate == V8_UNREADABLE)
		count(COUNTER_V8_LOST_TRACK, 1);
	if (fate != V8_STAYS)
		v8_drop_young(index, s);
	else if (!v8_page_flags(s, pass, &flags) ||
		 !(flags & (V8_PAGE_FROM | V8_PAGE_TO)))
		v8_grow_old(index, s, pass);
	return 0;
}

static __always_inline enum v8_fate v8_judge(struct v8_sample *s,
					     const struct v8_pass *pass)
{
	enum v8_fate fate = v8_marked(s, pass);

	if (fate == V8_STAYS)
		s->survived++;
	if (fate == V8_UNREADABLE)
		count(COUNTER_V8_LOST_TRACK, 1);
	return fate;
}

static long v8_marked_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);

	if (s && v8_judge(s, pass) != V8_STAYS)
		v8_drop_young(index, s);
	return 0;
}

static long v8_marked_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s && (v8_judge(s, pass) != V8_STAYS || !v8_thin(s)))
		v8_drop_old(index, s);
	return 0;
}

/* Between full collections, so that there is room for what is promoted. */
static long v8_thinned_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s && !v8_thin(s))
		v8_drop_old(index, s);
	return 0;
}

/* Objects that did not move are where they were. */
static __always_inline bool v8_lost(struct v8_sample *s, struct v8_pass *pass)
{
	if (v8_forward(s, pass) != V8_UNREADABLE)
		return false;
	count(COUNTER_V8_LOST_TRACK, 1);
	return true;
}

static long v8_evacuated_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);
	__u64 flags;

	if (!s)
		return 0;
	if (v8_lost(s, pass))
		v8_drop_young(index, s);
	else if (v8_page_flags(s, pass, &flags) &&
		 !(flags & (V8_PAGE_FROM | V8_PAGE_TO)))
		v8_grow_old(index, s, pass);
	return 0;
}

static long v8_evacuated_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s && v8_lost(s, pass))
		v8_drop_old(index, s);
	return 0;
}

static long v8_gone_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);

	if (s)
		v8_drop_young(index, s);
	return 0;
}

static long v8_gone_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s)
		v8_drop_old(index, s);
	return 0;
}

/* bpf_loop wants what the callbacks get on the caller's stack: a copy. */
__noinline int v8_forget_heap(struct v8_pass *given)
{
	struct v8_pass pass;

	if (!given)
		return 0;
	pass = *given;
	bpf_loop(v8_young_top, v8_gone_young, &pass, 0);
	bpf_loop(v8_old_top, v8_gone_old, &pass, 0);
	return 0;
}

/* ---- Phases of a collection -------------------------------------------------
 */

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

static __always_inline void v8_gc_end(struct v8_heap *h, struct v8_pass *pass,
				      __u32 kind)
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
}

/* The pass over all samples that belongs to the probed point. */
__noinline int v8_gc_pass(struct v8_heap *h, struct v8_pass *given, __u32 kind)
{
	__u64 start = bpf_ktime_get_ns();
	struct v8_pass pass;

	if (!h || !given)
		return 0;
	pass = *given;
	if (kind == V8_SCAVENGED) {
		h->scavenged++;
		if (v8_thin_more())
			bpf_loop(v8_old_top, v8_thinned_old, &pass, 0);
		bpf_loop(v8_young_top, v8_scavenged_young, &pass, 0);
	} else if (kind == V8_MARKED) {
		h->marked++;
		v8_thin_more();
		bpf_loop(v8_young_top, v8_marked_young, &pass, 0);
		bpf_loop(v8_old_top, v8_marked_old, &pass, 0);
	} else {
		h->evacuated++;
		bpf_loop(v8_young_top, v8_evacuated_young, &pass, 0);
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
		v8_gc_begin(h, first, &p->layout, pass.owner);
	} else if (kind == V8_GC_END) {
		v8_gc_end(h, &pass, second);
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
