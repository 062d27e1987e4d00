/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The names under which allocators offer their functions: the table behind
 * catalogue.h.
 */
#ifndef PROBE_ALLOC_NAMES_H
#define PROBE_ALLOC_NAMES_H

#include <stdbool.h>
#include <stdint.h>

/* Which sets of names an allocator was built with; several at once. A set
 * counts when the object defines both its malloc and its free. */
enum alloc_family {
	FAMILY_LIBC, /* malloc, free, ..., __libc_malloc */
	FAMILY_JE,   /* je_malloc: jemalloc with a prefix */
	FAMILY_RJEM, /* _rjem_malloc: jemalloc in Rust programs */
	FAMILY_TC,   /* tc_malloc */
	FAMILY_MI,   /* mi_malloc */
	FAMILY_RP,   /* rpmalloc, rpfree */
	FAMILY_CXX,  /* operator new and delete: with any of the others */
	FAMILY_MAP,  /* mmap: --mmap, of the libc or of an allocator */
	FAMILIES
};

enum alloc_class { CLASS_NONE, CLASS_ALLOC, CLASS_FREE, CLASS_MAP };

struct alloc_name {
	const char *name;
	uint32_t kind;	/* enum alloc_kind */
	uint32_t flags; /* PROBE_THROWS */
};

struct alloc_match {
	const struct alloc_name *entry;
	enum alloc_family family;
	/* Of several names for one function the lowest is shown. */
	unsigned rank;
	bool is_malloc, is_free; /* the family's own */
};

/* Looks a symbol's name up; false when it is no allocation function. */
bool alloc_name_find(const char *symbol, struct alloc_match *out);
enum alloc_class alloc_kind_class(uint32_t kind);

/* An allocator by symbols that only it defines; NULL when `symbol` is none.
 * Of several the one with the lowest *rank names the object. */
const char *alloc_marker_find(const char *symbol, unsigned *rank,
			      bool *is_libc);

#endif
