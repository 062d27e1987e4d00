/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which functions of which allocators are probed: one table, catalogue.c.
 * To support another allocator or function, add a line there.
 */
#ifndef PROBE_CATALOGUE_H
#define PROBE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/object.h"

/* A function found in an object. Aliases (same address) appear once. */
struct alloc_function {
	char name[64];	  /* as in the symbol table, for people */
	uint64_t address; /* link-time */
	uint64_t size;	  /* bytes of code; 0 unknown */
	uint32_t kind;	  /* enum alloc_kind (leakbpf/abi.h) */
	uint32_t flags;	  /* PROBE_THROWS, PROBE_TAIL_CALLS */
};

/* Code of the allocator behind its public functions that calls these in turn
 * (memalign's helper calling malloc): such a call is nested. */
struct alloc_internal {
	uint64_t start, end; /* link-time */
};

struct alloc_functions {
	struct alloc_function *list; /* sorted by address */
	size_t count;
	struct alloc_internal *internals;
	size_t internal_count;
	const char *allocator; /* "glibc", "jemalloc", ...: for people */
};

struct catalogue_options {
	bool memory_maps; /* --mmap: mmap, munmap, mremap of libc */
};

/*
 * Finds the allocator that `o` implements itself, so that a block is counted
 * once:
 *   - an object without a malloc and a free of its own has none, even when it
 *     defines operator new (libstdc++);
 *   - a function that cannot return without having entered another function of
 *     the catalogue is left out (operator new in a static program, a thunk):
 *     that one sees the call. So a library that only forwards has none;
 *   - an interposer that reaches the real malloc through a pointer (dlsym with
 *     RTLD_NEXT) is taken for an allocator: its calls are nested.
 * The dynamic loader's private malloc is left out. 0 (count may be 0) or
 * -errno.
 */
int catalogue_find(const struct object *o, const struct catalogue_options *opt,
		   struct alloc_functions *out);
void alloc_functions_free(struct alloc_functions *f);

/* Address of the dynamic loader's state hook (_dl_debug_state), in a loader
 * or in a musl libc; false when `o` is none. */
bool catalogue_find_loader_hook(const struct object *o, uint64_t *address);

/* True for a name that stands between the program and the allocator and never
 * is to blame itself: allocation functions, strdup, getline, asprintf,
 * operator new, std::allocator, ... Takes demangled or plain names. */
bool catalogue_is_transparent(const char *function_name);

#endif
