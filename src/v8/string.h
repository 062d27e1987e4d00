/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JavaScript strings of another process: flat, concatenated (cons), slices,
 * forwarded (thin) and external ones, in Latin-1 or UTF-16.
 */
#ifndef V8_STRING_H
#define V8_STRING_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "v8/heap_object.h"

/* Names of functions, types and files are cut here, at a character. */
#define V8_NAME_BYTES 512

/* Code units in order, a piece at a time. Non-zero ends it. */
typedef int (*v8_units)(void *context, const uint16_t *units, size_t count);

/* Is this the instance type of a string? */
bool v8_is_string_type(const struct v8_layout *l, uint16_t type);

/* Length in code units; checks the type. */
int v8_string_length(const struct v8_reader *r, uint64_t string,
		     uint32_t *length);

/* Hands out the first `max` units; 0, what `each` returned, or an error of
 * heap_object.h. Cycles end with the budget. */
int v8_string_each(const struct v8_reader *r, uint64_t string, uint32_t max,
		   v8_units each, void *context);

/* Appends at most `max_bytes` of the string as UTF-8. NUL and lone surrogates
 * become U+FFFD. */
int v8_string_utf8(const struct v8_reader *r, uint64_t string, size_t max_bytes,
		   struct text *out);

#endif
