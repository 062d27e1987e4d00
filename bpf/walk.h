/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The state of a walk up a user stack (unwind.h), and where it is kept. */
#ifndef BPF_WALK_H
#define BPF_WALK_H

#include "arch.h"
#include "maps.h"

/*
 * Stack memory is read in windows: a user-memory read costs some 40 ns however
 * small, and the frames of most walks lie close together.
 */
#define WINDOW_WORDS 128

/* V8 objects are copied as far as anything of interest is in them: up to the
 * id of a Script. The buffer is a power of two, for masks. */
#define JS_OBJECT_BYTES 72
#define JS_OBJECT_WORDS 16

struct walk {
	__u64 space; /* of the process's mappings: salts the address cache */
	__u64 pc;    /* of the frame being added */
	__u64 sp;    /* CFA of its callee */
	__u64 fp;
	__u64 hash;
	__u64 frame; /* out of walk_resolve: identity of pc ... */
	__u32 rule;  /* ... and how to leave its function */
	__u32 found; /* ... and whether pc is in a known range */
	__u32 tgid;
	__u32 source;	  /* enum stack_source: who wants to know */
	__u32 exact;	  /* pc is no return address: look it up as it is */
	__u32 guessed;	  /* got here by frame pointer where there is no CFI */
	__u32 allocators; /* frames inside probed allocation functions */
	__u32 outermost_allocator; /* which frame that is */
	__u32 caller_is_allocator; /* the second frame is one */
	__u64 native;		   /* the last frame with unwind rules */
	__u64 leaf;	 /* what the first frame is told apart by; 0: itself */
	__u32 js_frames; /* frames of JavaScript */
	__u64 object[JS_OBJECT_WORDS];
	struct js_frame_event js; /* here, because the stack is small */
	__u64 window_base;	  /* user address of window[0] */
	__u64 window[WINDOW_WORDS];
	struct stack_frames stack;
};

/* Every task that can be preempted in the middle of a program keeps its
 * buffer, so a processor has several. */
#define SCRATCH_LEVELS 4

struct scratch {
	__u64 busy;
	struct walk walk;
};

struct scratch_levels {
	struct scratch level[SCRATCH_LEVELS];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch_levels);
} scratch SEC(".maps");

static __always_inline struct scratch *scratch_get(void)
{
	__u32 zero = 0;
	struct scratch_levels *all = bpf_map_lookup_elem(&scratch, &zero);
	int i;

	if (!all)
		return NULL;
	for (i = 0; i < SCRATCH_LEVELS; i++)
		if (!__sync_val_compare_and_swap(&all->level[i].busy, 0, 1))
			return &all->level[i];
	return NULL;
}

static __always_inline void scratch_put(struct scratch *s)
{
	arch_store_release(&s->busy, 0);
}

#endif
