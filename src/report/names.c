/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/names.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

#define SHORTENED "..."

static bool is_plain(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
		return false;
	if (code == 0x200e || code == 0x200f || code == 0xfeff ||
	    (code & 0xfffe) == 0xfffe)
		return false;
	return !(code >= 0x2028 && code <= 0x202e) &&
	       !(code >= 0x2066 && code <= 0x2069);
}

static void escape(struct text *out, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		text_printf(out, "\\x%02x", (unsigned char)bytes[i]);
}

static size_t columns_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* Where the column `n` of a valid UTF-8 text starts. */
static const char *column(const char *s, size_t n)
{
	for (; *s; s++)
		if ((*s & 0xc0) != 0x80 && n-- == 0)
			break;
	return s;
}

/* Both ends of a name tell more than its middle: the namespace and the
 * function are there, template arguments in between. */
static void shorten(struct text *t, size_t from, size_t columns)
{
	char *name = t->data + from;
	size_t total = columns_of(name);
	size_t keep = columns - strlen(SHORTENED), head = keep / 3;
	const char *tail;
	char *at;

	if (total <= columns || columns < 2 * strlen(SHORTENED))
		return;
	at = t->data + (column(name, head) - t->data);
	tail = column(name, total - (keep - head));
	memmove(at + strlen(SHORTENED), tail, strlen(tail) + 1);
	memcpy(at, SHORTENED, strlen(SHORTENED));
	t->size = from + strlen(name);
}

void name_for_people(struct text *out, const char *name, size_t columns)
{
	size_t from = out->size;

	while (*name) {
		uint32_t code;
		size_t length = utf8_decode(name, &code);

		if (length && is_plain(code))
			text_append(out, name, length);
		else
			escape(out, name, length ? length : 1);
		name += length ? length : 1;
	}
	if (columns && !out->failed && out->size > from)
		shorten(out, from, columns);
}

void name_for_folded(struct text *out, const char *name)
{
	if (!*name)
		text_add(out, "?");
	while (*name) {
		uint32_t code;
		size_t length = utf8_decode(name, &code);

		if (code == ';')
			text_add(out, ":");
		else if (length && is_plain(code))
			text_append(out, name, length);
		else
			text_add(out, "?");
		name += length ? length : 1;
	}
}
