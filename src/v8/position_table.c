/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/position_table.h"

/* 7 bits a byte, lowest first, as in LEB128. */
static int64_t zigzag(struct cursor *c)
{
	uint64_t v = cursor_uleb(c);

	return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

void v8_positions_start(struct v8_positions *p, const uint8_t *data,
			size_t size)
{
	p->cursor = cursor_make(data, size);
	/* Tables start behind kFunctionEntryBytecodeOffset. */
	p->now = (struct v8_position){-1, 0};
}

bool v8_positions_next(struct v8_positions *p)
{
	int64_t code, position;

	if (!cursor_left(&p->cursor))
		return false;
	code = zigzag(&p->cursor);
	position = zigzag(&p->cursor);
	if (p->cursor.failed)
		return false;
	/* The sign says whether it is the position of a statement. */
	if (code < 0)
		code = -(code + 1);
	/* Unsigned: tables that make no sense may wrap, not overflow. */
	p->now.code_offset =
		(int64_t)((uint64_t)p->now.code_offset + (uint64_t)code);
	p->now.raw += (uint64_t)position;
	return true;
}

bool v8_position_before(const uint8_t *data, size_t size, uint64_t offset,
			struct v8_position *out)
{
	struct v8_positions p;
	bool found = false;

	v8_positions_start(&p, data, size);
	while (v8_positions_next(&p) && p.now.code_offset <= (int64_t)offset) {
		*out = p.now;
		found = true;
	}
	return found;
}

bool v8_position_after(const uint8_t *data, size_t size, uint64_t offset,
		       struct v8_position *out)
{
	struct v8_positions p;

	v8_positions_start(&p, data, size);
	while (v8_positions_next(&p)) {
		if (p.now.code_offset >= (int64_t)offset) {
			*out = p.now;
			return true;
		}
	}
	return false;
}

int64_t v8_baseline_bytecode(const uint8_t *data, size_t size, uint64_t offset)
{
	struct cursor c = cursor_make(data, size);
	uint64_t end = 0;

	for (int64_t n = 0; cursor_left(&c); n++) {
		uint64_t length = cursor_uleb(&c);

		if (c.failed || length > UINT32_MAX)
			return -1;
		end += length;
		if (offset < end)
			return n;
	}
	return -1;
}
