/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Unwind tables in the kernel: one map of rows per object, built once however
 * many processes map it, and one array of ranges per process that leads from
 * an address to its object.
 */
#ifndef TRACE_UNWIND_STORE_H
#define TRACE_UNWIND_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "unwind/unwind_table.h"

struct unwind_store;

struct unwind_store_maps {
	int objects_fd; /* map unwind_objects */
	int rules_fd;	/* map unwind_rules */
};

struct unwind_store *unwind_store_new(const struct unwind_store_maps *maps,
				      uint64_t rows_bytes_max);
void unwind_store_free(struct unwind_store *s);

/*
 * Compiles and uploads the object's table unless that was done before. `marks`
 * are its allocation functions. An object whose table cannot be built (bad
 * CFI, no room) is walked by frame pointers. 0 or -errno of the kernel.
 */
int unwind_store_add(struct unwind_store *s, const struct object *o,
		     const struct unwind_mark *marks, size_t mark_count);
/* Takes its table out: the id is about to be another object's. */
void unwind_store_drop(struct unwind_store *s, uint32_t object);
/* Whether unwind_store_add has been called with it. */
bool unwind_store_knows(const struct unwind_store *s, uint32_t object);
/* Rows of an added object. */
uint32_t unwind_store_rows(const struct unwind_store *s, uint32_t object);

struct unwind_store_stats {
	uint64_t rows_bytes, rows_bytes_max;
	uint32_t objects;
	uint32_t objects_without_cfi;
	uint32_t objects_refused; /* no room, or malformed as a whole */
	uint32_t rules;		  /* of UNWIND_RULES_EXT_MAX */
	/* That walks end at: there was no room for their rule. */
	uint64_t roomless_rows;
};
void unwind_store_stats(const struct unwind_store *s,
			struct unwind_store_stats *out);

#endif
