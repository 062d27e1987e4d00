/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * V8's heap, what its parts share: tables of samples, state of each heap.
 *
 * V8 objects are not freed: collections find them dead, or move them. So
 * sampled objects are followed (v8_passes.h) from one collection to the next,
 * inside the collection's pause, where nothing else touches the heap. The
 * tables are arrays because passes over hash tables cost by their buckets, and
 * because user space maps them.
 *
 * A sample is in use while its `booking` is not 0, as with blocks
 * (outstanding.h). All that changes a sample after it was taken runs in a pause
 * of its heap, or when its heap or process is gone.
 */
#ifndef BPF_V8_HEAP_H
#define BPF_V8_HEAP_H

#include "js_frames.h"
#include "outstanding.h"

/* Objects that a scavenge may move or find dead, and objects that only a full
 * collection does: scavenges are frequent, and pass over the first alone. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct v8_sample);
} v8_young SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct v8_sample);
} v8_old SEC(".maps");

/* Slots of the young in use, one bit each: passes go over no others. */
#define V8_YOUNG_WORDS (V8_YOUNG_SAMPLES / 64)
__u64 v8_young_used[V8_YOUNG_WORDS] = {};

/* Freed slots of the old, the last one on top. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__uint(key_size, 0);
	__uint(value_size, sizeof(__u32));
} v8_old_free SEC(".maps");

/* Slots ever used, which passes go over, and slots in use. Processors that take
 * the last ones at the same time may go a little beyond the table. */
__u32 v8_old_top = 0;
__s64 v8_old_count = 0;
/* Set by the loader. */
__u32 v8_old_size = 0;
__u32 v8_old_high_water = 0;
/* Old samples stand for at least so many bytes; raised when they get many. */
__u64 v8_weight_min = 0;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct v8_key); /* Heap, owner */
	__type(value, struct v8_heap);
} v8_heaps SEC(".maps");

/* V8's allocators (Space or MainAllocator, owner). Evicting one costs at most
 * the bytes of one sample. */
struct v8_allocator {
	__u64 bytes;	   /* allocated since its last sample */
	__u64 area;	   /* what of its area is not counted yet begins here */
	__u64 limit;	   /* ... and ends here at the latest (V8 12 and 13) */
	__u64 collections; /* of the heap, when the area was given out */
	__u64 due;	   /* that many bytes more before the next sample */
	__u32 fresh;	   /* the next area is the first after a collection */
	__u32 turn;	   /* of the probes; what was before is not known */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, struct v8_key);
	__type(value, struct v8_allocator);
} v8_allocators SEC(".maps");

/* The heap that a thread collects, or has collected last. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1);
	__type(key, __u32); /* tid */
	__type(value, __u64);
} v8_collectors SEC(".maps");

static __always_inline struct v8_heap *v8_heap_find(__u64 heap, __u32 owner)
{
	struct v8_key key = {.address = heap, .owner = owner};

	return bpf_map_lookup_elem(&v8_heaps, &key);
}

/* A function of its own: its large frame must not add to that of a walk. */
__noinline int v8_heap_new(__u64 heap, __u32 owner)
{
	struct v8_key key = {.address = heap, .owner = owner};
	struct v8_heap fresh = {};

	fresh.first_ns = bpf_ktime_get_ns();
	if (bpf_map_update_elem(&v8_heaps, &key, &fresh, BPF_NOEXIST))
		count(COUNTER_V8_LOST_HEAPS, 1);
	return 0;
}

static __always_inline struct v8_heap *v8_heap_get(__u64 heap, __u32 owner)
{
	struct v8_heap *h = v8_heap_find(heap, owner);

	if (h)
		return h;
	v8_heap_new(heap, owner);
	return v8_heap_find(heap, owner);
}

/* What follows is in functions of their own, which the verifier looks at once
 * instead of at every call. */

/* ---- Samples --------------------------------------------------------------
 */

/* The number of the only bit that is set. (LLVM 14 crashes over
 * __builtin_ctzll.) */
static __always_inline __u32 v8_bit_number(__u64 bit)
{
	return !!(bit & 0xffffffff00000000) << 5 |
	       !!(bit & 0xffff0000ffff0000) << 4 |
	       !!(bit & 0xff00ff00ff00ff00) << 3 |
	       !!(bit & 0xf0f0f0f0f0f0f0f0) << 2 |
	       !!(bit & 0xcccccccccccccccc) << 1 | !!(bit & 0xaaaaaaaaaaaaaaaa);
}

/* Takes the first free slot. -1: none. */
__noinline int v8_young_slot(void)
{
	__u64 used, bit;
	int i;

	for (i = 0; i < V8_YOUNG_WORDS; i++) {
		used = v8_young_used[i];
		bit = ~used & (used + 1);
		if (bit && __sync_val_compare_and_swap(&v8_young_used[i], used,
						       used | bit) == used)
			return i * 64 + v8_bit_number(bit);
	}
	return -1;
}

static __always_inline void v8_young_free(__u32 index)
{
	/* The bit is set: subtracting it clears it, and no other. */
	__sync_fetch_and_add(&v8_young_used[index / 64 & (V8_YOUNG_WORDS - 1)],
			     -(1ULL << (index & 63)));
}

static __always_inline struct v8_sample *v8_young_take(void)
{
	int slot = v8_young_slot();
	__u32 index = slot;

	return slot < 0 ? NULL : bpf_map_lookup_elem(&v8_young, &index);
}

/* A slot: one that was freed, else the first one that was never used. NULL:
 * the table is full. */
static __always_inline struct v8_sample *v8_old_take(void)
{
	struct v8_sample *s;
	__u32 index;

	if (bpf_map_pop_elem(&v8_old_free, &index)) {
		if (v8_old_top >= v8_old_size)
			return NULL;
		index = __sync_fetch_and_add(&v8_old_top, 1);
	}
	s = bpf_map_lookup_elem(&v8_old, &index);
	if (s)
		__sync_fetch_and_add(&v8_old_count, 1);
	return s;
}

/* P * 2^32 of an object that stands for `weight` bytes; 0: P = 1. */
static __always_inline __u32 v8_threshold(__u64 size, __u64 weight)
{
	__u64 p;

	if (!weight || weight <= size)
		return 0;
	p = (size << 32) / weight;
	return p ? (__u32)p : 1;
}

/* Takes a sample off the books. 0: someone else has. */
__noinline int v8_unbook(struct v8_sample *s)
{
	__u64 booking;

	if (!s)
		return 0;
	booking = __sync_lock_test_and_set(&s->block.booking, 0);
	if (!booking)
		return 0;
	stats_free(BLOCK_STACK(booking), s->block.size,
		   BLOCK_THRESHOLD(booking), s->block.birth_ns);
	return 1;
}

static __always_inline void v8_drop_young(__u32 index, struct v8_sample *s)
{
	if (v8_unbook(s))
		v8_young_free(index);
}

static __always_inline void v8_drop_old(__u32 index, struct v8_sample *s)
{
	if (!v8_unbook(s))
		return;
	bpf_map_push_elem(&v8_old_free, &index, 0);
	__sync_fetch_and_add(&v8_old_count, -1);
}

/* Changes what a sample is booked as. */
__noinline int v8_rebook(struct v8_sample *s, __u64 size, __u32 threshold)
{
	struct stack_stats *stats;
	__u32 stack;

	if (!s)
		return 0;
	stack = BLOCK_STACK(s->block.booking);
	stats = bpf_map_lookup_elem(&stack_stats, &stack);
	if (!stats)
		return 0;
	stats_alloc(stats, s->block.size, BLOCK_THRESHOLD(s->block.booking),
		    s->block.birth_ns, false);
	s->block.size = size;
	s->block.booking = BLOCK_BOOKING(stack, threshold);
	stats_alloc(stats, size, threshold, s->block.birth_ns, true);
	return 0;
}

#endif
