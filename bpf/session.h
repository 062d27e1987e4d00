/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Uprobe session programs run twice per call, at entry and at the return of
 * the probed function; this tells which.
 *
 * The kernel has a kfunc for it, bpf_session_is_return, but its prototype
 * changed between 6.18 (void) and 7.2 (ctx), and libbpf before 1.3 refuses an
 * object with the wrong one, weak or not. The helper bpf_get_func_ip does not
 * change: in a uprobe_multi or session program it gives the probed address on
 * both occasions (kernel/trace/bpf_trace.c, bpf_uprobe_multi_entry_ip), while
 * the context's instruction pointer is that address at entry and the caller's
 * (kernel/events/uprobes.c, uprobe_handle_trampoline) at the return.
 *
 * Include after the definition of struct pt_regs and bpf_tracing.h.
 */
#ifndef BPF_SESSION_H
#define BPF_SESSION_H

static __always_inline _Bool session_is_return(struct pt_regs *ctx)
{
	return (__u64)PT_REGS_IP(ctx) != bpf_get_func_ip(ctx);
}

#endif
