/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Everything the programs know about the processor: where arguments are, what
 * a call leaves on the stack, how a signal frame looks. A port to another
 * architecture adds its section here and in src/unwind.
 */
#ifndef BPF_ARCH_H
#define BPF_ARCH_H

#include <asm/ptrace.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#if defined(__TARGET_ARCH_x86)

/* The call pushed the return address: it lies at CFA - 8. */
#define ARCH_RETURN_ADDRESS_BELOW_CFA 8

/*
 * struct ucontext as the kernel leaves it at the stack pointer of the signal
 * trampoline (x86 uapi/asm/ucontext.h, sigcontext.h): uc_mcontext at 40, in it
 * rbp, rsp and rip at 80, 120 and 128.
 */
#define ARCH_UCONTEXT_FP 120
#define ARCH_UCONTEXT_SP 160
#define ARCH_UCONTEXT_PC 168

/* The first integer arguments in Go's calling convention (src/cmd/compile/
 * abi-internal.md). */
#define ARCH_GO_ARG1(ctx) ((ctx)->rax)
#define ARCH_GO_ARG2(ctx) ((ctx)->rbx)
#define ARCH_GO_ARG3(ctx) ((ctx)->rcx)

/* Canonical user addresses; five-level paging is not handed out unasked. */
#define ARCH_USER_ADDRESS_MAX (1ULL << 47)

/* Where a thread was in user mode when it entered the kernel, and what for.
 * Part of what the kernel has saved: an ABI, struct pt_regs. */
struct arch_entry {
	__u64 third, second, first; /* arguments, if it is a system call */
	__u64 call;		    /* its number; -1: an exception */
	__u64 pc;
	__u64 segment, flags;
	__u64 sp;
};
#define ARCH_CALL_MREMAP 25 /* asm/unistd_64.h */

static __always_inline bool arch_entry_read(const void *regs,
					    struct arch_entry *out)
{
	return !bpf_probe_read_kernel(out, sizeof(*out),
				      regs + offsetof(struct pt_regs, rdx));
}

static __always_inline __u64 arch_entry_fp(const void *regs)
{
	__u64 fp = 0;

	bpf_probe_read_kernel(&fp, sizeof(fp),
			      regs + offsetof(struct pt_regs, rbp));
	return fp;
}

/* Stores after everything before it: x86 keeps that order by itself. */
static __always_inline void arch_store_release(__u64 *to, __u64 value)
{
	barrier();
	*(volatile __u64 *)to = value;
}

#else
#error "no unwinder for this architecture yet"
#endif

#endif
