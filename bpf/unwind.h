/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Walks a user stack by the rows that src/unwind compiled from the objects'
 * CFI: address -> executable range -> row -> caller's registers.
 *
 * The walk is a plain loop around a global (separately verified) function, so
 * the verifier sees each part once and no tail calls are needed.
 */
#ifndef BPF_UNWIND_H
#define BPF_UNWIND_H

#include "unwind_address.h"
#include "unwind_leave.h"
#include "walk.h"

static __always_inline __u64 walk_hash_start(__u32 tgid, __u32 source)
{
	return stack_hash_seed ^ tgid ^ (__u64)source << 32;
}

static __always_inline void walk_hash(struct walk *w, __u64 value)
{
	w->hash = (w->hash ^ value) * 0x9e3779b97f4a7c15ULL;
	w->hash ^= w->hash >> 29;
}

static __always_inline void walk_append(struct walk *w)
{
	__u32 depth = w->stack.depth;

	if (depth >= STACK_FRAMES_MAX)
		return;
	w->stack.frames[depth] = w->frame;
	w->stack.depth = depth + 1;
	walk_hash(w, w->source == STACK_SOURCE_GROWTH && !depth ? w->leaf
								: w->frame);
	if (w->rule != UNWIND_NONE)
		w->native = w->frame;
	if (w->rule & UNWIND_ALLOCATOR) {
		w->allocators++;
		w->outermost_allocator = depth;
		if (depth == 1)
			w->caller_is_allocator = 1;
	}
}

/* js_frames.h */
__noinline int js_frame(struct walk *w);

/* Adds the frame at w->pc and moves to its caller. Non-zero: the walk is over,
 * w->stack.end says why. */
__noinline int walk_step(struct walk *w)
{
	__u64 pc;
	int end;

	if (!w)
		return 1;
	pc = w->pc;
	if (!pc) { /* below the first frame of a thread */
		w->stack.end = STACK_END_ROOT;
		return 1;
	}
	if (pc >= ARCH_USER_ADDRESS_MAX) {
		w->stack.end =
			w->guessed ? STACK_END_NO_CFI : STACK_END_NO_MAPPING;
		return 1;
	}
	walk_resolve(w);
	if (!w->found) {
		pc = original_return_address(
			pc, w->sp - ARCH_RETURN_ADDRESS_BELOW_CFA);
		if (pc && pc != w->pc) {
			w->pc = pc;
			walk_resolve(w);
		}
	}
	/* Compiled code may be newer than what is known of the mappings. */
	if (v8_present && UNWIND_RULE_KIND(w->rule) == UNWIND_NONE &&
	    js_frame(w))
		w->found = 1;
	if (!w->found) {
		w->stack.end =
			w->guessed ? STACK_END_NO_CFI : STACK_END_NO_MAPPING;
		return 1;
	}
	w->guessed = 0;
	walk_append(w);
	end = walk_up(w);
	if (end < 0)
		return 0;
	w->stack.end = end;
	return 1;
}

static __always_inline void walk_begin(struct walk *w, __u32 tgid, __u32 epoch,
				       __u32 source, __u64 fp)
{
	w->tgid = tgid;
	w->space = epoch * 0x9e3779b97f4a7c15ULL;
	w->source = source;
	w->stack.depth = 0;
	w->stack.end = STACK_END_DEPTH;
	w->stack.retired = 0;
	w->allocators = 0;
	w->outermost_allocator = 0;
	w->caller_is_allocator = 0;
	w->js_frames = 0;
	w->native = 0;
	w->guessed = 0;
	w->window_base = ~0ULL;
	w->hash = walk_hash_start(tgid, source);
	w->fp = fp;
}

/* A function of its own to the verifier: it follows the loop once, not from
 * every state that a program may come here in. */
__noinline int walk_run(struct walk *w)
{
	int i;

	if (!w)
		return 0;
	for (i = 0; i < STACK_FRAMES_MAX - 1; i++)
		if (walk_step(w))
			break;
	walk_hash(w, w->stack.end);
	count_work(COUNTER_UNWIND_FRAMES, w->stack.depth);
	count_work(COUNTER_STACK_END + (w->stack.end & 7), 1);
	if (w->stack.end == STACK_END_NO_MAPPING &&
	    !__sync_val_compare_and_swap(&rescan_raised, 0, 1))
		send_event(EVENT_MAPS_CHANGED, w->tgid, w->pc);
	return 0;
}

/*
 * Walks from a probe site. `site` is the probed address, inside the allocation
 * function; `entry_sp` what the stack pointer was at its entry, so that the
 * first caller needs no CFI. Must run before a return probe replaces the
 * return address: at entry.
 */
static __always_inline void walk_from_site(struct walk *w, __u32 tgid,
					   __u32 epoch, __u32 source,
					   __u64 site, __u64 entry_sp, __u64 fp)
{
	__u64 return_address = 0;

	walk_begin(w, tgid, epoch, source, fp);
	w->pc = site;
	w->exact = 1;
	walk_resolve(w);
	walk_append(w);
	w->exact = 0;
	w->sp = entry_sp + ARCH_RETURN_ADDRESS_BELOW_CFA;
	if (!stack_word(w, entry_sp, &return_address)) {
		w->stack.end = STACK_END_READ_FAULT;
		return;
	}
	w->pc = return_address;
	walk_run(w);
}

/* A walk that begins at an instruction, with the registers there. */
static __always_inline void walk_begin_at(struct walk *w, __u32 tgid,
					  __u32 epoch, __u32 source, __u64 pc,
					  __u64 sp, __u64 fp)
{
	walk_begin(w, tgid, epoch, source, fp);
	w->pc = pc;
	w->sp = sp;
	w->exact = 1;
}

/*
 * Walks from any instruction: where a thread entered the kernel. Which of the
 * instructions of a function it was makes no other stack (stack_equal): loops
 * are unrolled, and touch a page now here, now there. Told apart are the parts
 * of functions that have an unwind rule of their own, prologue, body, cold.
 */
static __always_inline void walk_from_position(struct walk *w, __u32 tgid,
					       __u32 epoch, __u32 source,
					       __u64 pc, __u64 sp, __u64 fp)
{
	walk_begin_at(w, tgid, epoch, source, pc, sp, fp);
	w->leaf = pc;
	walk_search(w, pc);
	walk_run(w);
}

/* Walks from the middle of a function, by the unwind rule there. */
static __always_inline void walk_from_inside(struct walk *w, __u32 tgid,
					     __u32 epoch, __u32 source,
					     __u64 pc, __u64 sp, __u64 fp)
{
	walk_begin_at(w, tgid, epoch, source, pc, sp, fp);
	walk_run(w);
}

#endif
