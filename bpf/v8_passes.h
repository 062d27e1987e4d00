/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What one collection does to all samples:
 *
 *   scavenge   when the survivors have been copied, the first word of each
 *              object in from-space says where to, or that it is dead
 *   full       after marking, objects without their mark are dead; after
 *              evacuation, while the old pages are still mapped, the first
 *              word says where an object has gone, if it has
 */
#ifndef BPF_V8_PASSES_H
#define BPF_V8_PASSES_H

#include "v8_ages.h"

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

	if (fate == V8_STAYS) {
		s->survived++;
		s->aged |= pass->now_ns - s->block.birth_ns >= V8_AGED_NS;
	}
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

#endif
