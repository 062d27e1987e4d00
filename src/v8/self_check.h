/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whether a process's heap looks as its layout says, where probes have shown
 * the way to it: at attach, and again after the first collection. Pure
 * functions over memory that races with its owner: a contradiction may pass,
 * so ask again, in a new request (v8_memory_begin), before believing it.
 */
#ifndef V8_SELF_CHECK_H
#define V8_SELF_CHECK_H

#include "leakbpf/abi_user.h"
#include "v8/memory.h"

enum v8_finding {
	V8_FOUND_SANE,
	V8_FOUND_NOTHING, /* unreadable, or there is no such thing just now */
	V8_FOUND_WRONG,
};

/* `allocator`: first argument of V8_POINT_ALLOCATE or V8_POINT_RESET_LAB. Its
 * allocation area starts, goes on and ends within one page. */
enum v8_finding v8_self_check_lab(const struct v8_layout *layout,
				  struct v8_memory *memory, uint64_t allocator);

/* The allocator's heap is the one that a GC probe showed, and the isolate
 * around it has a frame pointer, or 0, where the last exit from JavaScript is
 * kept. */
enum v8_finding v8_self_check_heap(const struct v8_layout *layout,
				   struct v8_memory *memory, uint64_t allocator,
				   uint64_t heap);

/* `object` (untagged): its page is old or in one of the semispaces, and says
 * that its objects start within it. */
enum v8_finding v8_self_check_page(const struct v8_layout *layout,
				   struct v8_memory *memory, uint64_t object);

/* `object` (untagged), alive and not being moved: its map is a map. */
enum v8_finding v8_self_check_object(const struct v8_layout *layout,
				     struct v8_memory *memory, uint64_t object);

#endif
