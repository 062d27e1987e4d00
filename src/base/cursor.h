/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bounds-checked reading of untrusted bytes. A read past the end sets
 * `failed`, returns 0 and leaves the cursor at its end, so that a parser may
 * read a whole record and check once.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cursor {
	const uint8_t *at;
	const uint8_t *end;
	bool failed;
};

static inline struct cursor cursor_make(const void *data, size_t size)
{
	const uint8_t *at = data;

	return (struct cursor){at, at ? at + size : at, false};
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* The next `size` bytes, or NULL when there are fewer. */
const uint8_t *cursor_bytes(struct cursor *c, size_t size);
void cursor_skip(struct cursor *c, size_t size);
uint8_t cursor_u8(struct cursor *c);
uint16_t cursor_u16(struct cursor *c);
uint32_t cursor_u32(struct cursor *c);
uint64_t cursor_u64(struct cursor *c);
/* DWARF LEB128; more than 10 bytes fail. */
uint64_t cursor_uleb(struct cursor *c);
int64_t cursor_sleb(struct cursor *c);
/* NUL-terminated, inside the buffer; NULL when it does not end. */
const char *cursor_string(struct cursor *c);

#endif
