/* SPDX-License-Identifier: GPL-2.0-only */
/* Growable text. After an allocation failure `failed` stays set and further
 * appends do nothing, so that a writer checks once at the end. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

struct text {
	char *data;  /* NUL-terminated once anything was appended; else NULL */
	size_t size; /* without the NUL */
	size_t capacity;
	bool failed;
};

void text_append(struct text *t, const char *bytes, size_t size);
void text_add(struct text *t, const char *string);
void text_printf(struct text *t, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void text_clear(struct text *t); /* keeps the memory */
void text_free(struct text *t);

#endif
