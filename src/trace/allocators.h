/* SPDX-License-Identifier: GPL-2.0-only */
/* The allocation functions of objects, looked for once in each: many processes
 * map the same libraries. */
#ifndef TRACE_ALLOCATORS_H
#define TRACE_ALLOCATORS_H

#include "leakbpf/abi_user.h"
#include "probe/catalogue.h"
#include "trace/usdt.h"

struct allocator {
	struct alloc_functions functions; /* with those of memory maps */
	struct usdt_probes usdt;
	uint64_t loader_hook; /* _dl_debug_state; 0: none */
	int err;	      /* catalogue_find's */
};

struct allocators {
	struct allocator *by_object[OBJECTS_MAX];
};

/* NULL: no memory. */
const struct allocator *allocator_of(struct allocators *all,
				     const struct object *o);
/* The id is about to be another object's. */
void allocators_forget(struct allocators *all, uint32_t object);
void allocators_free(struct allocators *all);

#endif
