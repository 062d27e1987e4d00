/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/cursor.h"

#include <string.h>

#define LEB128_BYTES_MAX 10 /* 64 bits, 7 a byte */

const uint8_t *cursor_bytes(struct cursor *c, size_t size)
{
	const uint8_t *bytes = c->at;

	if (c->failed || size > cursor_left(c)) {
		c->failed = true;
		c->at = c->end;
		return NULL;
	}
	if (size)
		c->at += size;
	return bytes;
}

void cursor_skip(struct cursor *c, size_t size)
{
	cursor_bytes(c, size);
}

/* Targets are little-endian; so are the machines this tool runs on. */
#define DEFINE_READER(name, type)                                              \
	type name(struct cursor *c)                                            \
	{                                                                      \
		const uint8_t *bytes = cursor_bytes(c, sizeof(type));          \
		type value = 0;                                                \
                                                                               \
		if (bytes)                                                     \
			memcpy(&value, bytes, sizeof(value));                  \
		return value;                                                  \
	}

DEFINE_READER(cursor_u8, uint8_t)
DEFINE_READER(cursor_u16, uint16_t)
DEFINE_READER(cursor_u32, uint32_t)
DEFINE_READER(cursor_u64, uint64_t)

/* The value's bits and, in *bits, how many were given (bits beyond 64 are
 * dropped). */
static uint64_t leb128(struct cursor *c, unsigned *bits, bool *negative)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < LEB128_BYTES_MAX; i++) {
		uint8_t byte = cursor_u8(c);

		if (c->failed)
			return 0;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		*bits = 7 * (i + 1);
		*negative = byte & 0x40;
		return value;
	}
	c->failed = true;
	c->at = c->end;
	return 0;
}

uint64_t cursor_uleb(struct cursor *c)
{
	unsigned bits = 64;
	bool negative = false;

	return leb128(c, &bits, &negative);
}

int64_t cursor_sleb(struct cursor *c)
{
	unsigned bits = 64;
	bool negative = false;
	uint64_t value = leb128(c, &bits, &negative);

	if (negative && bits < 64)
		value |= ~0ULL << bits;
	return (int64_t)value;
}

const char *cursor_string(struct cursor *c)
{
	size_t left = cursor_left(c);
	const uint8_t *nul = left ? memchr(c->at, 0, left) : NULL;

	if (c->failed || !nul) {
		c->failed = true;
		c->at = c->end;
		return NULL;
	}
	return (const char *)cursor_bytes(c, (size_t)(nul - c->at) + 1);
}
