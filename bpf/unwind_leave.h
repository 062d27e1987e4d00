/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* From a frame to its caller, by the rule for its address: caller's registers
 * from stack memory, which is read in windows. */
#ifndef BPF_UNWIND_LEAVE_H
#define BPF_UNWIND_LEAVE_H

#include <bpf/bpf_core_read.h>

#include "kernel_types.h"
#include "leakbpf/unwind_rule.h"
#include "walk.h"

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

#endif
