/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Walks a user stack by the rows that src/unwind compiled from the objects'
 * CFI: address -> executable range -> row -> caller's registers.
 *
 * The walk is a plain loop around a global (separately verified) function, so
 * the verifier sees each part once and no tail calls are needed. Binary
 * searches touch user-controlled nothing: only tables of the loader.
 */
#ifndef BPF_UNWIND_H
#define BPF_UNWIND_H

#include <bpf/bpf_core_read.h>

#include "arch.h"
#include "kernel_types.h"
#include "maps.h"
#include "leakbpf/unwind_rule.h"

/* 2^12 ranges, 2^22 rows: what a binary search of that many steps covers. */
#define RANGE_SEARCH_STEPS 13
#define ROW_SEARCH_STEPS   23

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
	__u64 pc; /* of the frame being added */
	__u64 sp; /* CFA of its callee */
	__u64 fp;
	__u64 hash;
	__u64 frame; /* out of walk_resolve: identity of pc ... */
	__u32 rule;  /* ... and how to leave its function */
	__u32 found; /* ... and whether pc is in a known range */
	__u32 tgid;
	__u32 epoch;
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

/* ---- Address to rule ------------------------------------------------------
 */

/* The row that covers `offset`: the last one with pc <= offset; *start is its
 * pc. */
static __always_inline __u32 row_rule(__u32 object, __u32 rows, __u32 offset,
				      __u64 *start)
{
	void *table = bpf_map_lookup_elem(&unwind_objects, &object);
	__u32 low = 0, high = rows, rule = UNWIND_NONE;
	int i;

	if (!table)
		return UNWIND_NONE;
	for (i = 0; i < ROW_SEARCH_STEPS; i++) {
		__u32 middle = low + (high - low) / 2;
		struct unwind_row *row;

		if (low >= high)
			break;
		row = bpf_map_lookup_elem(table, &middle);
		if (!row)
			break;
		if (row->pc <= offset) {
			rule = row->rule;
			*start = row->pc;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return rule;
}

/* Fills frame, rule and found for the look-up address. Slow path. */
__noinline int walk_search(struct walk *w, __u64 address)
{
	struct exec_range *range = NULL;
	__u32 low = 1, high, zero = 0, tgid;
	void *ranges;
	int i;

	if (!w)
		return 0;
	w->found = 0;
	w->rule = UNWIND_NONE;
	w->frame = address & FRAME_ADDRESS_MASK;
	tgid = w->tgid; /* keys must be on the stack up to Linux 6.1 */
	ranges = bpf_map_lookup_elem(&process_ranges, &tgid);
	if (!ranges)
		return 0;
	range = bpf_map_lookup_elem(ranges, &zero);
	if (!range)
		return 0;
	high = range->rows + 1;
	for (i = 0; i < RANGE_SEARCH_STEPS; i++) {
		__u32 middle = low + (high - low) / 2;

		if (low >= high)
			return 0;
		range = bpf_map_lookup_elem(ranges, &middle);
		if (!range)
			return 0;
		if (address < range->start)
			high = middle;
		else if (address >= range->end)
			low = middle + 1;
		else
			break;
	}
	if (!range || address < range->start || address >= range->end)
		return 0;
	w->found = 1;
	if (range->object) {
		__u64 link_time = address - range->bias;

		w->frame = (__u64)range->object << FRAME_OBJECT_SHIFT |
			   (link_time & FRAME_ADDRESS_MASK);
		w->leaf = w->frame;
		if (range->rows)
			w->rule = row_rule(range->object, range->rows,
					   link_time - range->text_base,
					   &w->leaf);
	}
	return 0;
}

static __always_inline __u64 pc_cache_mix(__u64 key, __u64 frame, __u64 rule)
{
	return key ^ frame * 0x9e3779b97f4a7c15ULL ^ rule << 32 ^ 1;
}

static __always_inline void walk_resolve(struct walk *w)
{
	__u64 address = w->exact ? w->pc : w->pc - 1;
	__u64 key = address | (__u64)w->epoch << 48;
	__u32 slot =
		(key * 0x9e3779b97f4a7c15ULL >> 40) & (PC_CACHE_ENTRIES - 1);
	struct pc_cache_entry *e = bpf_map_lookup_elem(&pc_cache, &slot);
	__u64 frame, rule;

	if (!e)
		return;
	frame = *(volatile __u64 *)&e->frame;
	rule = *(volatile __u64 *)&e->rule;
	if (*(volatile __u64 *)&e->check == pc_cache_mix(key, frame, rule)) {
		w->frame = frame;
		w->rule = rule;
		w->found = 1;
		return;
	}
	walk_search(w, address);
	if (!w->found)
		return;
	frame = w->frame;
	rule = w->rule;
	e->frame = frame;
	e->rule = rule;
	e->check = pc_cache_mix(key, frame, rule);
}

/* ---- Stack memory
 * ------------------------------------------------------------ */

/* Moves the window to `address`. Non-zero: not readable. */
__noinline int window_move(struct walk *w, __u64 address)
{
	if (!w)
		return 1;
	w->window_base = address;
	if (!bpf_probe_read_user(w->window, sizeof(w->window), (void *)address))
		return 0;
	/* The end of the stack is near: just the word. */
	w->window_base = ~0ULL;
	return bpf_probe_read_user(w->window, 8, (void *)address) != 0;
}

static __always_inline bool stack_word(struct walk *w, __u64 address,
				       __u64 *value)
{
	__u64 offset = address - w->window_base, index;

	if (offset >= sizeof(w->window) || offset & 7) {
		if (window_move(w, address))
			return false;
		offset = 0;
	}
	index = offset >> 3;
	barrier_var(index); /* or the compiler drops the mask as redundant */
	*value = w->window[index & (WINDOW_WORDS - 1)];
	return true;
}

/* ---- Leaving a frame --------------------------------------------------------
 */

/*
 * A return probe (ours on an outer function, or another tool's) has put the
 * trampoline's address in place of the return address. The kernel remembers
 * the original by the place it took it from.
 */
__noinline __u64 original_return_address(__u64 address, __u64 place)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct return_instance *ri;
	__u64 trampoline;
	int i;

	trampoline = BPF_CORE_READ(task, mm, uprobes_state.xol_area, vaddr);
	if (!trampoline || address != trampoline)
		return address;
	ri = BPF_CORE_READ(task, utask, return_instances);
	for (i = 0; i < 64 && ri; i++) {
		if (BPF_CORE_READ(ri, stack) == place)
			return BPF_CORE_READ(ri, orig_ret_vaddr);
		ri = BPF_CORE_READ(ri, next);
	}
	return 0;
}

/* CFA known: reads return address and saved frame pointer. False: unreadable.
 */
static __always_inline bool walk_leave(struct walk *w, __u64 cfa, bool fp_saved,
				       __u64 fp_place)
{
	__u64 fp = w->fp, pc;

	/* Upwards, so that both lie in one window. */
	if (fp_saved && !stack_word(w, fp_place, &fp))
		return false;
	if (!stack_word(w, cfa - ARCH_RETURN_ADDRESS_BELOW_CFA, &pc))
		return false;
	w->fp = fp;
	w->pc = pc;
	w->sp = cfa;
	w->exact = 0;
	return true;
}

static __always_inline int walk_signal(struct walk *w)
{
	__u64 fp, sp, pc;

	if (bpf_probe_read_user(&fp, 8, (void *)(w->sp + ARCH_UCONTEXT_FP)) ||
	    bpf_probe_read_user(&sp, 8, (void *)(w->sp + ARCH_UCONTEXT_SP)) ||
	    bpf_probe_read_user(&pc, 8, (void *)(w->sp + ARCH_UCONTEXT_PC)))
		return STACK_END_READ_FAULT;
	/* No check that sp grows: the handler may run on another stack. */
	w->fp = fp;
	w->sp = sp;
	w->pc = pc;
	w->exact = 1;
	return -1;
}

static __always_inline int walk_frame_pointer(struct walk *w)
{
	__u64 fp = w->fp;

	if (fp < w->sp || fp & 7 || fp - w->sp > (8ULL << 20))
		return STACK_END_NO_CFI;
	if (!walk_leave(w, fp + 16, true, fp))
		return STACK_END_NO_CFI;
	w->guessed = 1;
	return -1;
}

static __always_inline int walk_extended(struct walk *w, __u32 index)
{
	struct unwind_rule_ext *x = bpf_map_lookup_elem(&unwind_rules, &index);
	__u64 cfa, fp_place;

	if (!x)
		return STACK_END_BAD_RULE;
	cfa = (x->cfa_register == UNWIND_REG_FP ? w->fp : w->sp) +
	      x->cfa_offset;
	if (x->plt_threshold && (w->pc & 15) >= x->plt_threshold)
		cfa += 8;
	if (x->deref) {
		if (!stack_word(w, cfa, &cfa))
			return STACK_END_READ_FAULT;
		cfa += x->deref_offset;
	}
	if (cfa <= w->sp)
		return STACK_END_NO_PROGRESS;
	fp_place = (x->fp_saved == UNWIND_FP_AT_FP   ? w->fp
		    : x->fp_saved == UNWIND_FP_AT_SP ? w->sp
						     : cfa) +
		   x->fp_offset;
	if (!walk_leave(w, cfa, x->fp_saved != UNWIND_FP_KEPT, fp_place))
		return STACK_END_READ_FAULT;
	return -1;
}

/* From a frame to its caller. An enum stack_end, or -1 to go on. */
static __always_inline int walk_up(struct walk *w)
{
	__u32 rule = w->rule;
	__u64 cfa;

	switch (UNWIND_RULE_KIND(rule)) {
	case UNWIND_ROOT:
		return STACK_END_ROOT;
	case UNWIND_CFA_SP:
		cfa = w->sp + UNWIND_RULE_OFFSET(rule);
		break;
	case UNWIND_CFA_FP:
		cfa = w->fp + UNWIND_RULE_OFFSET(rule);
		break;
	case UNWIND_EXT:
		return walk_extended(w, UNWIND_RULE_INDEX(rule));
	case UNWIND_SIGNAL:
		return walk_signal(w);
	case UNWIND_NONE:
		return walk_frame_pointer(w);
	default:
		return STACK_END_BAD_RULE;
	}
	if (cfa <= w->sp)
		return STACK_END_NO_PROGRESS;
	if (!walk_leave(w, cfa, rule & UNWIND_FP_SAVED,
			cfa - UNWIND_RULE_FP_BELOW_CFA(rule)))
		return STACK_END_READ_FAULT;
	return -1;
}

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
	w->epoch = epoch & 0xffff;
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

static __always_inline void walk_run(struct walk *w)
{
	int i;

	for (i = 0; i < STACK_FRAMES_MAX - 1; i++)
		if (walk_step(w))
			break;
	walk_hash(w, w->stack.end);
	count_work(COUNTER_UNWIND_FRAMES, w->stack.depth);
	count_work(COUNTER_STACK_END + (w->stack.end & 7), 1);
	if (w->stack.end == STACK_END_NO_MAPPING &&
	    !__sync_val_compare_and_swap(&rescan_raised, 0, 1))
		send_event(EVENT_MAPS_CHANGED, w->tgid, w->pc);
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
