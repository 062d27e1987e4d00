/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols of stacks, and which frame of a stack is to blame. */
#ifndef REPORT_BLAME_H
#define REPORT_BLAME_H

#include "report/report.h"

/* Resolves the frames of all these stacks, one request per process. Frames that
 * fail keep their fallback symbol. 0 or -ENOMEM. */
int report_resolve(const struct report *r,
		   const struct profile_stack *const *stacks, size_t count);

struct blame {
	const struct symbol *symbol;
	const struct symbol_level *level;
};

/*
 * The first level, leaf first, that is the program's own: no allocation
 * function or helper (catalogue_is_transparent), not inside an allocator, libc
 * or a C++ or Rust standard library, no part of Node (native or node:...). When
 * there is none, the first of Node's scripts; the first that is no allocation
 * function; else the leaf. False for a stack without frames.
 */
bool report_blame(const struct report *r, const struct profile_stack *s,
		  struct blame *out);

/* Exposed for tests: a library that passes memory on to its caller. */
bool blame_is_library(const char *module);
/* ... a function of V8 or Node */
bool blame_is_runtime(const char *function);
/* ... and a function of a standard library inlined into the program. */
bool blame_is_standard(const char *function);

#endif
