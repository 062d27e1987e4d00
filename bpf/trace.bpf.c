// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The BPF object: one thin program per (event source, kind of link). Which of
 * them are loaded, and with which attach type, is decided by the loader from
 * what the kernel can do (src/trace/programs.c).
 */
#include "alloc.h"
#include "go_heap.h"
#include "lifecycle.h"
#include "mmap.h"
#include "pages.h"
#include "private_stack.h"
#include "session.h"
#include "upkeep.h"
#include "usdt.h"
#include "v8_gc.h"

/* ---- Allocation ------------------------------------------------------------
 */

/* LINK_SESSION: returning 1 at entry spares the return trap. */
SEC("?uprobe")
int alloc_session(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK_SESSION(ctx);
	return session_is_return(ctx) ? alloc_returned(ctx)
				      : alloc_entered(ctx);
}

/* LINK_MULTI, LINK_PERF */
SEC("?uprobe")
int alloc_entry(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	alloc_entered(ctx);
	return 0;
}

SEC("?uprobe")
int alloc_return(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return alloc_returned(ctx);
}

SEC("?uprobe")
int free_entry(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return free_entered(ctx);
}

/* ---- Memory maps ------------------------------------------------------------
 */

SEC("?uprobe")
int map_session(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK_SESSION(ctx);
	return session_is_return(ctx) ? map_returned(ctx) : map_entered(ctx);
}

SEC("?uprobe")
int map_entry(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	map_entered(ctx);
	return 0;
}

SEC("?uprobe")
int map_return(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return map_returned(ctx);
}

/* ---- The dynamic loader
 * ------------------------------------------------------- */

SEC("?uprobe")
int loader_entry(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return loader_state(ctx);
}

/* ---- V8's heap
 * ------------------------------------------------------------- */

SEC("?uprobe")
int v8_allocation(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return v8_allocated(ctx);
}

SEC("?uprobe")
int v8_gc(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return v8_collection(ctx);
}

SEC("?uprobe")
int v8_size(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return v8_size_returned(ctx);
}

/* ---- Samplers of the target itself
 * ------------------------------------------------------------------ */

SEC("?uprobe")
int go_heap(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return go_heap_event(ctx);
}

SEC("?uprobe")
int usdt(struct pt_regs *ctx)
{
	NO_PRIVATE_STACK(ctx);
	return usdt_fired(ctx);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
