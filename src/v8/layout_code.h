/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to src/v8: offsets as V8's own machine code uses them. They tell
 * whether a row of the table fits the build at hand, whatever its patches and
 * compiler. Each of these functions is false when the code is not there or not
 * what it was in the versions that we know.
 */
#ifndef V8_LAYOUT_CODE_H
#define V8_LAYOUT_CODE_H

#include "v8/layout_symbols.h"

/* Compares `layout` with the code. NULL, or what differs, for people. Looks at
 * what is there: a stripped library has less. */
const char *v8_code_contradicts(const struct object *o,
				const struct v8_symbols *s,
				const struct v8_layout *layout);

/* IsolateGroup -> dispatch table. */
bool v8_code_dispatch_table(const struct object *o, const struct v8_symbols *s,
			    uint32_t *offset);

/* Heap -> total of external memory. */
bool v8_code_external(const struct object *o, const struct v8_symbols *s,
		      int32_t *offset);

/* Link-time range of the embedded builtins. */
bool v8_code_builtins(const struct object *o, const struct v8_symbols *s,
		      uint64_t *start, uint64_t *end);

#endif
