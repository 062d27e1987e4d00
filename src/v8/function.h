/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SharedFunctionInfo: what V8 knows of a function apart from its closures.
 */
#ifndef V8_FUNCTION_H
#define V8_FUNCTION_H

#include "base/text.h"
#include "v8/heap_object.h"

/*
 * Appends the name that V8's own profiles show: the function's, else the one
 * inferred from where it was assigned ("exports.handler"), else "(anonymous)".
 * Methods have no class in front: V8 takes that from the receiver, when it
 * prints a stack. -ESTALE: not a SharedFunctionInfo.
 */
int v8_function_name(const struct v8_reader *r, uint64_t shared,
		     struct text *out);

/* The function's script; -ENOENT: none (builtins, C++ callbacks). */
int v8_function_script(const struct v8_reader *r, uint64_t shared,
		       uint64_t *script);

/* SharedFunctionInfo of a JSFunction. */
int v8_function_shared(const struct v8_reader *r, uint64_t function,
		       uint64_t *shared);

/* Code of a JSFunction, through the dispatch table where V8 has one. */
int v8_function_code(const struct v8_reader *r, uint64_t function,
		     uint64_t *code);

#endif
