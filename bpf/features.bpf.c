// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Tiny programs that the loader attaches to functions of its own, to see what
 * this kernel can do and what a probe hit costs. They are loaded one at a
 * time (a program that this kernel refuses must not take the others down), so
 * none of them is loaded by default.
 */
#include <linux/types.h>
#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "feature_counts.h"
#include "session.h"

struct feature_counts counts;

SEC("?uprobe")
int count_entry(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&counts.entry_hits, 1);
	counts.last_cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("?uprobe")
int count_return(struct pt_regs *ctx)
{
	__sync_fetch_and_add(&counts.return_hits, 1);
	counts.last_cookie = bpf_get_attach_cookie(ctx);
	return 0;
}

SEC("?uprobe")
int count_session(struct pt_regs *ctx)
{
	counts.last_cookie = bpf_get_attach_cookie(ctx);
	if (session_is_return(ctx)) {
		__sync_fetch_and_add(&counts.return_hits, 1);
		return 0;
	}
	__sync_fetch_and_add(&counts.entry_hits, 1);
	return counts.skip_return != 0; /* the verifier wants 0 or 1 */
}

/* For calibration: the cost of the probe and of nothing else. */
SEC("?uprobe")
int do_nothing(struct pt_regs *ctx)
{
	return 0;
}

SEC("?uprobe")
int decline_return(struct pt_regs *ctx)
{
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
