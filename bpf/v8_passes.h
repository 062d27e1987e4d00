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

static __always_inline void v8_scavenged_young(__u32 index,
					       struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);
	enum v8_fate fate = V8_STAYS;
	__u64 flags;

	if (!s)
		return;
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

static __always_inline void v8_marked_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);

	if (s && v8_judge(s, pass) != V8_STAYS)
		v8_drop_young(index, s);
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

static __always_inline void v8_evacuated_young(__u32 index,
					       struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);
	__u64 flags;

	if (!s)
		return;
	if (v8_lost(s, pass))
		v8_drop_young(index, s);
	else if (v8_page_flags(s, pass, &flags) &&
		 !(flags & (V8_PAGE_FROM | V8_PAGE_TO)))
		v8_grow_old(index, s, pass);
}

static long v8_evacuated_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s && v8_lost(s, pass))
		v8_drop_old(index, s);
	return 0;
}

static __always_inline void v8_gone_young(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_young_at(index, pass);

	if (s)
		v8_drop_young(index, s);
}

static long v8_gone_old(__u32 index, struct v8_pass *pass)
{
	struct v8_sample *s = v8_old_at(index, pass);

	if (s)
		v8_drop_old(index, s);
	return 0;
}

/* Takes up the next word, or does what is to be done to the next sample. */
static long v8_young_step(__u32 i, struct v8_pass *pass)
{
	__u32 index;

	if (!pass->left) {
		if (pass->word >= V8_YOUNG_WORDS)
			return 1;
		pass->left = v8_young_used[pass->word++ & (V8_YOUNG_WORDS - 1)];
		return 0;
	}
	index = (pass->word - 1) * 64 + v8_bit_number(pass->left & -pass->left);
	pass->left &= pass->left - 1;
	switch (pass->deed) {
	case V8_SCAVENGE:
		v8_scavenged_young(index, pass);
		break;
	case V8_MARK:
		v8_marked_young(index, pass);
		break;
	case V8_EVACUATE:
		v8_evacuated_young(index, pass);
		break;
	default:
		v8_gone_young(index, pass);
	}
	return 0;
}

/* `pass`: on the caller's stack, as bpf_loop wants what it hands on. */
static __always_inline void v8_over_young(struct v8_pass *pass,
					  enum v8_deed deed)
{
	pass->deed = deed;
	pass->word = 0;
	pass->left = 0;
	bpf_loop(V8_YOUNG_SAMPLES + V8_YOUNG_WORDS + 1, v8_young_step, pass, 0);
}

__noinline int v8_forget_heap(struct v8_pass *given)
{
	struct v8_pass pass;

	if (!given)
		return 0;
	pass = *given;
	v8_over_young(&pass, V8_FORGET);
	bpf_loop(v8_old_top, v8_gone_old, &pass, 0);
	return 0;
}

#endif
