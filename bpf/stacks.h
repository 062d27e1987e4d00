/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Interning of stacks: same frames, same id. The hash only finds candidates;
 * the frames are compared, so no two stacks are ever merged by a collision
 * (bpf_get_stackid, by contrast, does merge or drop them).
 */
#ifndef BPF_STACKS_H
#define BPF_STACKS_H

#include "maps.h"
#include "unwind.h"

#define STACK_COLLISION_TRIES 4

/* Of first frames of pages (walk_from_position) only the object: the rest of
 * what tells them apart is in the hash, which is the caller's to compare.
 * Verified once, like walk_run(). */
__noinline int stack_equal(struct walk *w, struct stack_frames *b)
{
	const struct stack_frames *a;
	__u32 depth, i;

	if (!w || !b)
		return false;
	a = &w->stack;
	depth = a->depth;
	i = w->source == STACK_SOURCE_GROWTH;
	if (depth != b->depth || a->end != b->end)
		return false;
	if (i && depth && (a->frames[0] ^ b->frames[0]) >> FRAME_OBJECT_SHIFT)
		return false;
	for (; i < STACK_FRAMES_MAX; i++) {
		if (i >= depth)
			break;
		if (a->frames[i] != b->frames[i])
			return false;
	}
	return true;
}

/* A fresh id with the frames in place, or STACK_ID_OVERFLOW. */
static __always_inline __u32 stack_create(struct walk *w, __u64 key)
{
	struct stack_frames *frames;
	struct stack_stats *stats;
	__u32 id, size;

	if (bpf_map_pop_elem(&free_stacks, &id)) {
		count(COUNTER_LOST_STACKS, 1);
		return STACK_ID_OVERFLOW;
	}
	frames = bpf_map_lookup_elem(&stack_frames, &id);
	stats = bpf_map_lookup_elem(&stack_stats, &id);
	if (!frames || !stats)
		return STACK_ID_OVERFLOW;
	size = 8 + w->stack.depth * 8;
	if (size > sizeof(*frames))
		size = sizeof(*frames);
	bpf_probe_read_kernel(frames, size, &w->stack);
	stats->tgid = w->tgid;
	stats->source = w->source;
	stats->index_key = key;
	if (!bpf_map_update_elem(&stack_index, &key, &id, BPF_NOEXIST))
		return id;
	/* Another processor was first (or the index is full). */
	frames->depth = 0;
	stats->tgid = 0;
	bpf_map_push_elem(&free_stacks, &id, 0);
	return STACK_ID_NONE;
}

/* By the index, where there is room for it. */
static __always_inline __u32 stack_search(struct walk *w)
{
	__u64 key = w->hash;
	__u32 id;
	int i;

	for (i = 0; i < STACK_COLLISION_TRIES; i++, key++) {
		__u32 *known = bpf_map_lookup_elem(&stack_index, &key);
		struct stack_frames *frames;

		if (!known) {
			id = stack_create(w, key);
			if (id != STACK_ID_NONE)
				return id;
			known = bpf_map_lookup_elem(&stack_index, &key);
			if (!known)
				break;
		}
		id = *known;
		frames = bpf_map_lookup_elem(&stack_frames, &id);
		if (frames && stack_equal(w, frames))
			return id;
	}
	count(COUNTER_LOST_STACKS, 1);
	return STACK_ID_OVERFLOW;
}

/* The id that the cache holds, if it is that of the walked stack. */
static __always_inline bool stack_cached(struct walk *w, __u32 id)
{
	struct stack_frames *frames = bpf_map_lookup_elem(&stack_frames, &id);
	struct stack_stats *stats = bpf_map_lookup_elem(&stack_stats, &id);

	return frames && stats && !frames->retired && stats->tgid == w->tgid &&
	       stats->source == w->source &&
	       stats->index_key - w->hash < STACK_COLLISION_TRIES &&
	       stack_equal(w, frames);
}

/* The id of the walked stack. STACK_ID_OVERFLOW when tables are full. */
__noinline int stack_intern(struct walk *w)
{
	__u32 slot, id, *cached;

	if (!w)
		return STACK_ID_OVERFLOW;
	slot = w->hash & (STACK_CACHE_ENTRIES - 1);
	cached = bpf_map_lookup_elem(&stack_cache, &slot);
	if (!cached)
		return STACK_ID_OVERFLOW;
	id = *cached;
	if (stack_cached(w, id))
		return id;
	id = stack_search(w);
	if (id != STACK_ID_OVERFLOW)
		*cached = id;
	return id;
}

#endif
