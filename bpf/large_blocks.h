/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Large blocks of targets in observation windows. The C library maps each on
 * its own, which is rare: while allocations go unseen, mmap, munmap and mremap
 * are probed all the same, and what they do on behalf of malloc is booked to
 * who called malloc. As all of these blocks are seen, they stand for nothing
 * but themselves; a window that sees such a malloc leaves it to this.
 */
#ifndef BPF_LARGE_BLOCKS_H
#define BPF_LARGE_BLOCKS_H

#include "calls.h"

/* asm-generic/mman-common.h; the same on all machines. */
#define MAP_READ_WRITE	3
#define MAP_PRIVATE_NEW 0x22	/* MAP_PRIVATE | MAP_ANONYMOUS */
#define MAP_OTHER_USE	0x24010 /* MAP_FIXED | MAP_NORESERVE | MAP_STACK */
/* glibc hands out what follows the header of a mapping. */
#define LARGE_BLOCK_HEADER 16

/* Not memory that an allocator maps to share it out, nor V8's pages: those are
 * only reserved, or asked for at a certain address. */
static __always_inline bool large_block_mapped(struct pt_regs *ctx, __u32 kind)
{
	__u64 address = PT_REGS_PARM1(ctx), length = PT_REGS_PARM2(ctx);
	__u64 third = PT_REGS_PARM3(ctx);
	__u32 flags = (__u32)PT_REGS_PARM4(ctx);

	barrier_var(third);
	barrier_var(flags);
	if (kind == MAP_MREMAP)
		return length >= LARGE_BLOCK_BYTES ||
		       third >= LARGE_BLOCK_BYTES;
	return !address && length >= LARGE_BLOCK_BYTES &&
	       (__u32)third == MAP_READ_WRITE &&
	       (flags & (MAP_PRIVATE_NEW | MAP_OTHER_USE)) == MAP_PRIVATE_NEW;
}

/* The probe of the allocation function that `frame` lies in. */
static __always_inline __u64 alloc_site_of(__u64 frame)
{
	__u64 function = 0, probe = frame;
	__u32 i;

	for (i = 0; i < ALLOC_SITES_MAX; i++) {
		__u64 start = alloc_sites[i].function;

		if (i >= alloc_site_count)
			break;
		if (start > frame || start <= function ||
		    (start ^ frame) >> FRAME_OBJECT_SHIFT)
			continue;
		function = start;
		probe = alloc_sites[i].probe;
	}
	return probe;
}

/* Makes a walk from mmap that of the malloc which called it. */
__noinline int large_block_walk(struct walk *w)
{
	__u32 depth, first, i;

	if (!w)
		return 0;
	depth = w->stack.depth;
	first = w->outermost_allocator;
	if (depth > STACK_FRAMES_MAX || first >= depth)
		return 0;
	w->hash = walk_hash_start(w->tgid, w->source);
	w->stack.depth = depth - first;
	for (i = 0; i < STACK_FRAMES_MAX; i++) {
		__u32 from = i + first;
		__u64 frame;

		if (from >= depth || from >= STACK_FRAMES_MAX)
			break;
		frame = w->stack.frames[from];
		if (!i)
			frame = alloc_site_of(frame);
		w->stack.frames[i] = frame;
		walk_hash(w, frame);
	}
	walk_hash(w, w->stack.end);
	return 0;
}

/* Whether the function that called mmap belongs to the same object: not an
 * allocator's that takes what it maps apart. */
static __always_inline bool large_block_caller(const struct walk *w)
{
	return w->allocators && w->stack.depth > 1 &&
	       !((w->stack.frames[0] ^ w->stack.frames[1]) >>
		 FRAME_OBJECT_SHIFT);
}

/* It was booked by its malloc, before the target was observed in windows. True:
 * it is no more. */
static __always_inline bool large_block_taken(__u32 owner, __u64 mapping)
{
	struct block b;

	if (!block_take(mapping + LARGE_BLOCK_HEADER, owner, &b))
		return false;
	block_freed(&b);
	return true;
}

/* The malloc that called mmap must not book it, too. `sp`: of mmap. */
static __always_inline void large_block_claim(__u32 tid, __u64 sp)
{
	struct pending *p = call_find(tid, 0);

	if (p && p->state == PENDING_SAMPLED && p->entry_sp > sp)
		p->large = 1;
}

#endif
