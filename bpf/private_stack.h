/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Keeps programs on uprobes off the kernel's per-processor BPF stacks.
 *
 * Since 6.13 a program's larger frames live in memory that it has once per
 * processor (kernel/bpf/verifier.c, bpf_enable_priv_stack). That needs a
 * program never to run twice at a time on one processor, and for its type,
 * BPF_PROG_TYPE_KPROBE, the kernel takes that for granted: kprobes check it.
 * Uprobes do not (kernel/trace/bpf_trace.c, uprobe_prog_run; bpf_trace.h,
 * bpf_prog_run_array_uprobe), and where the kernel is preemptible (with
 * PREEMPT_LAZY, which became the x86 default, everywhere) a second thread
 * enters the program while the first is preempted in the middle of it. They
 * write over each other's frames, and the kernel oopses: seen on 7.2 with two
 * threads allocating.
 *
 * A program that may tail-call gets no such stack. So each names a tail call
 * that never happens; if it did, the array is empty and it would go on.
 */
#ifndef BPF_PRIVATE_STACK_H
#define BPF_PRIVATE_STACK_H

#include "maps.h"

/* All programs that use one such array must have the same attach type. */
struct no_programs {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};
struct no_programs no_programs SEC(".maps");
struct no_programs no_session_programs SEC(".maps");

/* Always 0, but the verifier cannot know. */
__u32 tail_call_wanted = 0;

#define NO_PRIVATE_STACK(ctx)                                                  \
	do {                                                                   \
		if (tail_call_wanted)                                          \
			bpf_tail_call(ctx, &no_programs, 0);                   \
	} while (0)

#define NO_PRIVATE_STACK_SESSION(ctx)                                          \
	do {                                                                   \
		if (tail_call_wanted)                                          \
			bpf_tail_call(ctx, &no_session_programs, 0);           \
	} while (0)

#endif
