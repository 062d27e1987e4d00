/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_FIRST 64

/* Makes room for `size` more bytes and the NUL. */
static bool reserve(struct text *t, size_t size)
{
	size_t needed, capacity = t->capacity ? t->capacity : CAPACITY_FIRST;
	char *data;

	if (t->failed)
		return false;
	if (__builtin_add_overflow(t->size, size, &needed) ||
	    __builtin_add_overflow(needed, 1, &needed) || needed > SIZE_MAX / 2)
		goto fail;
	if (needed <= t->capacity)
		return true;
	while (capacity < needed)
		capacity *= 2;
	data = realloc(t->data, capacity);
	if (!data)
		goto fail;
	t->data = data;
	t->capacity = capacity;
	return true;
fail:
	t->failed = true;
	return false;
}

void text_append(struct text *t, const char *bytes, size_t size)
{
	if (!reserve(t, size))
		return;
	if (size)
		memcpy(t->data + t->size, bytes, size);
	t->size += size;
	t->data[t->size] = 0;
}

void text_add(struct text *t, const char *string)
{
	text_append(t, string, strlen(string));
}

void text_printf(struct text *t, const char *format, ...)
{
	va_list arguments, again;
	int size;

	va_start(arguments, format);
	va_copy(again, arguments);
	size = vsnprintf(NULL, 0, format, arguments);
	if (size < 0)
		t->failed = true;
	else if (reserve(t, (size_t)size)) {
		vsnprintf(t->data + t->size, (size_t)size + 1, format, again);
		t->size += (size_t)size;
	}
	va_end(again);
	va_end(arguments);
}

void text_clear(struct text *t)
{
	t->size = 0;
	if (t->data)
		t->data[0] = 0;
}

void text_free(struct text *t)
{
	free(t->data);
	*t = (struct text){0};
}
