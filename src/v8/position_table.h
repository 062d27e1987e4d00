/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * V8's source position tables: pairs of (code offset delta, position delta) in
 * zigzag variable-length integers, in order of code offset
 * (v8/src/codegen/source-position-table.cc). Pure decoding.
 */
#ifndef V8_POSITION_TABLE_H
#define V8_POSITION_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

struct v8_position {
	int64_t code_offset;
	uint64_t raw; /* as V8 packs it: the accessors below */
};

struct v8_positions {
	struct cursor cursor;
	struct v8_position now;
};

void v8_positions_start(struct v8_positions *p, const uint8_t *data,
			size_t size);
/* The next entry into p->now; false at the end, or where the table is bad. */
bool v8_positions_next(struct v8_positions *p);

/* The last entry at or before an offset; false when there is none. */
bool v8_position_before(const uint8_t *data, size_t size, uint64_t offset,
			struct v8_position *out);
/* The first entry at or after it. */
bool v8_position_after(const uint8_t *data, size_t size, uint64_t offset,
		       struct v8_position *out);

/* In a file outside JavaScript (Torque, C++)? Then the next two mean nothing.
 */
static inline bool v8_position_is_external(uint64_t raw)
{
	return raw & 1;
}

/* Code units from the start of the script's source, -1: none. */
static inline int32_t v8_position_script_offset(uint64_t raw)
{
	return (int32_t)(raw >> 1 & 0x3fffffff) - 1;
}

/* Index of the inlining that it belongs to, -1: the function itself. */
static inline int32_t v8_position_inlining(uint64_t raw)
{
	return (int32_t)(raw >> 31 & 0xffff) - 1;
}

/*
 * Baseline code has a table of its own: the length of each bytecode's machine
 * code, unsigned, the prologue's first. Returns the number of the bytecode
 * whose code contains `offset`: 0 is the prologue, 1 the first. -1: beyond the
 * end.
 */
int64_t v8_baseline_bytecode(const uint8_t *data, size_t size, uint64_t offset);

#endif
