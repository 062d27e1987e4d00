/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: V8's allocation slow paths.
 *
 * V8 hands out memory by bumping a pointer through an allocation area (LAB) of
 * up to a page, inlined into compiled code. Only at its end is a function
 * called, and that is a sampler by bytes as it stands: an object of S bytes is
 * the first of a new area with P = S / area. It stands for what was allocated
 * since the sample before it, which the pointer of the old area tells.
 *
 * V8 10 and 11: what fills areas is probed while the old area is still there,
 * and when the new one is. V8 12 and 13: ResetLab does both; it is called
 * before the object is initialised. The probes are on paths that the
 * collector's own allocators do not take: their hundreds of calls in a scavenge
 * cost nothing (src/v8/lab_site.h, refill_site.h). Where those are not found in
 * V8 10 and 11, AdvanceAllocationObservers is called with the old area, and
 * ComputeLimit has the object and its size. Not InvokeAllocationObservers,
 * which V8 10 calls for each hidden class, too.
 */
#ifndef BPF_V8_ALLOC_H
#define BPF_V8_ALLOC_H

#include "calls.h"
#include "v8_areas.h"

static __always_inline void v8_allocator_new(struct v8_heap *h, __u64 allocator)
{
	int i;

	for (i = 0; i < V8_ALLOCATORS; i++)
		if (!__sync_val_compare_and_swap(&h->allocators[i], 0,
						 allocator))
			break;
}

static __always_inline struct v8_allocator *
v8_allocator(struct v8_heap *h, __u64 allocator, __u32 owner)
{
	struct v8_key key = {.address = allocator, .owner = owner};
	struct v8_allocator *state = bpf_map_lookup_elem(&v8_allocators, &key);
	struct v8_allocator fresh = {};

	if (state)
		return state;
	if (!bpf_map_update_elem(&v8_allocators, &key, &fresh, BPF_NOEXIST))
		v8_allocator_new(h, allocator);
	return bpf_map_lookup_elem(&v8_allocators, &key);
}

/* A collection begins: it will drop areas, unseen. */
static __always_inline void v8_count_all(const struct v8_layout *l,
					 struct v8_heap *h, __u32 owner)
{
	int i;

	for (i = 0; i < V8_ALLOCATORS; i++) {
		struct v8_key key = {
			.address = h->allocators[i],
			.owner = owner,
		};
		struct v8_allocator *state;
		struct v8_lab lab;

		if (!key.address)
			break;
		state = bpf_map_lookup_elem(&v8_allocators, &key);
		if (!state || !v8_lab_read(l, key.address, &lab) || !lab.top)
			continue;
		__sync_fetch_and_add(&state->bytes, v8_lab_used(&lab, state));
		state->area = lab.top;
	}
}

static __always_inline __u32 v8_stack(struct pt_regs *ctx, __u64 cookie,
				      __u32 tgid, __u32 epoch, bool inside)
{
	struct scratch *s = scratch_get();
	__u32 id;

	if (!s) {
		count(COUNTER_LOST_SCRATCH, 1);
		return STACK_ID_NONE;
	}
	if (inside)
		walk_from_inside(&s->walk, tgid, epoch, STACK_SOURCE_V8_HEAP,
				 PT_REGS_IP(ctx), PT_REGS_SP(ctx),
				 PT_REGS_FP(ctx));
	else
		walk_from_site(&s->walk, tgid, epoch, STACK_SOURCE_V8_HEAP,
			       PT_REGS_IP(ctx), entry_sp_of(ctx, cookie),
			       PT_REGS_FP(ctx));
	id = stack_intern(&s->walk);
	scratch_put(s);
	return id;
}

/* Bytes, with what was allocated while the probes rested. */
static __always_inline __u64 v8_stands_for(const struct v8_allocation *a,
					   __u64 size)
{
	__u64 weight = a->weight ? a->weight : size;

	return a->scale_q8 ? weight * a->scale_q8 >> 8 : weight;
}

/* Books a sample. False: there was no room for it. All samples begin among
 * the young; the next collection knows better. */
static __always_inline bool v8_book(const struct v8_allocation *a, __u32 stack)
{
	__u64 size = a->size ? a->size : V8_OBJECT_BYTES;
	__u32 threshold = v8_threshold(size, v8_stands_for(a, size));
	struct stack_stats *stats = bpf_map_lookup_elem(&stack_stats, &stack);
	struct v8_sample *s = stats ? v8_young_take() : NULL;
	__u64 now = bpf_ktime_get_ns();

	if (!s)
		return false;
	s->address = a->object;
	s->heap = a->heap;
	s->block.owner = a->owner;
	s->survived = 0;
	s->sized = a->size != 0;
	s->aged = 0;
	s->block.size = size;
	s->block.birth_ns = now;
	stats_alloc(stats, size, threshold, now, true);
	if (!stats->first_alloc_ns)
		stats->first_alloc_ns = now;
	stats->last_alloc_ns = now;
	__sync_lock_test_and_set(&s->block.booking,
				 BLOCK_BOOKING(stack, threshold));
	count(COUNTER_V8_SAMPLES, 1);
	return true;
}

/* A page that objects can be on: flags readable, not being scavenged. */
static __always_inline void v8_check_page(const struct v8_layout *l,
					  struct v8_heap *h, __u64 object)
{
	__u64 page = object & ~(V8_PAGE_BYTES - 1), flags;

	if (bpf_probe_read_user(&flags, sizeof(flags),
				(void *)(page + l->page_flags)) ||
	    flags & V8_PAGE_FROM)
		__sync_fetch_and_add(&h->page_bad, 1);
}

/* V8_RESET_LAB on the path of the program's own allocators, `first` is the
 * lock: the area is the new one. */
static __always_inline void v8_read_inside(struct v8_allocation *a,
					   struct pt_regs *ctx,
					   const struct v8_layout *l)
{
	struct v8_lab lab = {};

	a->replaced = a->inside = true;
	a->allocator -= l->allocator_lock;
	a->nonsense = !v8_lab_read(l, a->allocator, &lab);
	a->object = lab.start;
	a->limit = lab.limit;
	bpf_probe_read_kernel(&a->top, sizeof(a->top),
			      (void *)ctx + l->lab_top_register);
}

/* V8 10 and 11, on the path of the program's own allocators: `first` is the
 * lock. False: there is no new area. */
static __always_inline bool v8_read_refill(struct v8_allocation *a, __u32 kind,
					   const struct v8_layout *l)
{
	struct v8_lab lab = {};

	a->allocator -= l->allocator_lock;
	if (kind == V8_REFILL_LOCK)
		return true;
	a->nonsense = !v8_lab_read(l, a->allocator, &lab);
	a->object = a->nonsense ? 0 : lab.start;
	a->limit = lab.limit;
	return a->nonsense || lab.top;
}

/* Everything there is to know in one reading of the arguments. */
static __always_inline bool v8_read(struct v8_allocation *a,
				    struct pt_regs *ctx, __u32 kind,
				    const struct v8_layout *l)
{
	__u64 first = PT_REGS_PARM1(ctx), second = PT_REGS_PARM2(ctx);
	__u64 third = PT_REGS_PARM3(ctx), fourth = PT_REGS_PARM4(ctx);

	barrier_var(first);
	barrier_var(second);
	barrier_var(third);
	barrier_var(fourth);
	a->allocator = first;
	a->object = kind == V8_ACCOUNT || kind == V8_REFILL_LOCK ? 0 : second;
	a->size = kind == V8_ALLOCATE	  ? fourth
		  : kind == V8_LARGE_PAGE ? third
					  : 0;
	a->limit = third;
	a->inside = l->allocator_lock &&
		    (kind == V8_ALLOCATE || kind == V8_REFILLED);
	if ((kind == V8_REFILL_LOCK || kind == V8_REFILLED) &&
	    !v8_read_refill(a, kind, l))
		return false;
	if (kind == V8_ALLOCATE && !fourth) /* the limit is moved, no more */
		return false;
	if (kind == V8_LARGE_PAGE &&
	    bpf_probe_read_user(&a->object, sizeof(a->object),
				(void *)(second + l->metadata_area_start)))
		return false;
	if (kind == V8_RESET_LAB && l->allocator_lock)
		v8_read_inside(a, ctx, l);
	return !bpf_probe_read_user(&a->heap, sizeof(a->heap),
				    (void *)(a->allocator + l->allocator_heap));
}

/* Counts what was allocated, and says in a->weight what the object stands for;
 * 0: there is none, or too little has been allocated since the last one. */
static __always_inline struct v8_allocator *
v8_account(struct v8_allocation *a, __u32 kind, const struct v8_layout *l,
	   struct v8_heap *h)
{
	struct v8_allocator *state = v8_allocator(h, a->allocator, a->owner);
	bool rested;

	if (!state)
		return NULL;
	rested = state->turn != a->turn;
	if (rested) { /* what was allocated meanwhile is not known */
		state->turn = a->turn;
		state->bytes = 0;
	}
	/* What collections allocate, to move objects, is not the program's. */
	if (h->collecting || rested) {
		state->area = a->object;
		state->limit = a->limit;
		return NULL;
	}
	if ((kind == V8_ALLOCATE || kind == V8_REFILLED) && !a->nonsense)
		v8_area_begins(a, state);
	else
		v8_count(l, h, a, state, kind);
	if (a->object && v8_due(h, state))
		a->weight = __sync_lock_test_and_set(&state->bytes, 0);
	return state;
}

/* Takes a sample, and the time that takes. False: there was no room for it. */
static __always_inline bool v8_sampled(struct pt_regs *ctx, __u64 cookie,
				       const struct v8_allocation *a,
				       struct v8_heap *h,
				       const struct v8_layout *l, __u32 epoch)
{
	__u64 start = bpf_ktime_get_ns(), took;
	__u32 stack;
	bool booked;

	v8_check_page(l, h, a->object);
	__sync_fetch_and_add(&h->samples, 1);
	stack = v8_stack(ctx, cookie, bpf_get_current_pid_tgid() >> 32, epoch,
			 a->inside);
	booked = stack != STACK_ID_NONE && v8_book(a, stack);
	took = bpf_ktime_get_ns() - start;
	took = took < TIMING_MAX_NS ? took : TIMING_MAX_NS;
	__sync_fetch_and_add(&h->sampling_ns, took);
	meter_work(cookie, METER_V8, took);
	return booked;
}

static __always_inline int v8_allocated(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 kind = PROBE_COOKIE_KIND(cookie);
	struct target *target = target_find(bpf_get_current_pid_tgid() >> 32);
	struct v8_allocator *state = NULL;
	struct v8_allocation a = {};
	struct v8_process *p;
	struct v8_heap *h;

	count_site(cookie);
	if (!target)
		return 0;
	a.owner = target->owner;
	a.turn = target->v8_turn;
	a.scale_q8 = target->v8_scale_q8;
	p = bpf_map_lookup_elem(&v8_processes, &a.owner);
	if (!p || !v8_read(&a, ctx, kind, &p->layout))
		return 0;
	h = v8_heap_get(a.heap, a.owner);
	if (!h || (h->collecting && !a.replaced))
		return 0;
	if (kind != V8_LARGE_PAGE) {
		state = v8_account(&a, kind, &p->layout, h);
		if (!state || !a.weight)
			return 0;
	}
	if (v8_sampled(ctx, cookie, &a, h, &p->layout, target->map_epoch))
		return 0;
	if (state) /* the next sample stands for it, too */
		__sync_fetch_and_add(&state->bytes, a.weight);
	else
		count(COUNTER_V8_LOST_TABLE, 1);
	return 0;
}

#endif
