/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of scripts, and what stands in front of their names (struct
 * js_level): the class that they are methods of. One call of a function tells
 * it; it holds for all of them, inlined ones, too. */
#ifndef SYMBOL_JS_FUNCTIONS_H
#define SYMBOL_JS_FUNCTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"

#define JS_FUNCTIONS_MAX (1u << 17)

struct js_functions;

struct js_functions *js_functions_new(void); /* NULL without memory */
void js_functions_free(struct js_functions *f);

/* The number of a function, from 1; 0: no room. `thread`: struct js_frame;
 * `prefix` (NULL: not known) is copied. */
uint32_t js_functions_put(struct js_functions *f, uint32_t thread,
			  int32_t script_id, int32_t literal_id,
			  const char *prefix);

/* NULL: not known. */
const char *js_functions_prefix(const struct js_functions *f, uint32_t number);

/* Most of the room is used. */
bool js_functions_are_many(const struct js_functions *f);
/* Forgets those whose entry in `numbers` (of JS_FUNCTIONS_MAX + 1) is 0; the
 * others' entries become their new numbers. 0, or -ENOMEM and nothing has
 * changed. */
int js_functions_keep(struct js_functions *f, uint32_t *numbers);

/* Appends "Class.method". False: the name alone says it ("Old.method", inferred
 * from an assignment; "get size", as V8 calls accessors), or `prefix` is NULL.
 */
bool js_function_name(const char *function, const char *prefix,
		      struct text *out);

#endif
