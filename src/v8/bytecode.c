/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in bytecode, and in the baseline code made from it. */
#include <errno.h>
#include <stdlib.h>

#include "v8/code.h"

/* Prefixes for wider operands, in the order of bytecodes.h: Wide, ExtraWide,
 * DebugBreakWide, DebugBreakExtraWide. */
#define PREFIXES      4
#define SCALES	      3
#define BYTECODES_MAX 256

int v8_bytecode_position(const struct v8_reader *r, uint64_t bytecode_array,
			 uint32_t bytecode_offset, int32_t *script_offset)
{
	const struct v8_layout *l = v8_layout_of(r);
	struct v8_position position;
	uint64_t table;
	uint8_t *data;
	size_t size;
	int32_t length;
	int err = v8_expect(r, bytecode_array, l->type_bytecode_array);

	if (!err)
		err = v8_field_smi(r, bytecode_array, l->array_length, &length);
	if (!err && (length < 0 || bytecode_offset >= (uint32_t)length))
		err = -ESTALE;
	if (!err)
		err = v8_field(r, bytecode_array, l->bytecode_source_positions,
			       &table);
	if (err)
		return err;
	err = v8_position_table_read(r, table, &data, &size);
	if (err)
		return err;
	if (!v8_position_before(data, size, bytecode_offset, &position) ||
	    v8_position_is_external(position.raw))
		err = -ENOENT;
	else
		*script_offset = v8_position_script_offset(position.raw);
	free(data);
	return err;
}

/* Offset of the bytecode with this number, from 0. */
static int offset_of(const uint8_t *bytecodes, size_t size,
		     const uint8_t *lengths, uint32_t count, int64_t number,
		     uint32_t *out)
{
	size_t at = 0;

	while (at < size) {
		uint32_t scale = 0, length, prefix = 0;

		if (bytecodes[at] < PREFIXES) {
			scale = 1 + (bytecodes[at] & 1);
			prefix = 1;
		}
		if (number-- == 0) {
			*out = (uint32_t)at;
			return 0;
		}
		if (at + prefix >= size || bytecodes[at + prefix] >= count)
			return -ESTALE;
		length = lengths[scale * count + bytecodes[at + prefix]];
		if (!length)
			return -ESTALE;
		at += prefix + length;
	}
	return -ENOENT;
}

static int read_lengths(const struct v8_reader *r,
			uint8_t lengths[SCALES * BYTECODES_MAX],
			uint32_t *count)
{
	const struct v8_engine *e = r->engine;

	*count = e->bytecode_sizes_bytes / SCALES;
	if (!e->bytecode_sizes || *count <= PREFIXES || *count > BYTECODES_MAX)
		return -ENOENT;
	return v8_read(r->memory, e->bytecode_sizes + r->bias, lengths,
		       *count * SCALES);
}

static int bytecode_number(const struct v8_reader *r,
			   const struct v8_code *code, uint32_t offset,
			   int64_t *number)
{
	uint8_t *data;
	size_t size;
	int err = v8_position_table_read(r, code->positions, &data, &size);

	if (err)
		return err;
	/* Calls in the prologue (stack checks, tier-up) are the function's. */
	*number = v8_baseline_bytecode(data, size, offset);
	if (*number > 0)
		--*number;
	free(data);
	return *number < 0 ? -ENOENT : 0;
}

int v8_baseline_offset(const struct v8_reader *r, const struct v8_code *code,
		       uint64_t bytecode_array, uint32_t offset,
		       uint32_t *bytecode_offset)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint8_t lengths[SCALES * BYTECODES_MAX], *bytecodes;
	uint32_t count;
	int32_t size;
	int64_t number;
	int err = v8_expect(r, bytecode_array, l->type_bytecode_array);

	if (!err)
		err = read_lengths(r, lengths, &count);
	if (!err)
		err = bytecode_number(r, code, offset, &number);
	if (!err)
		err = v8_field_smi(r, bytecode_array, l->array_length, &size);
	if (err)
		return err;
	if (size <= 0 || (uint32_t)size > V8_TABLE_BYTES_MAX)
		return -E2BIG;
	bytecodes = malloc((size_t)size);
	if (!bytecodes)
		return -ENOMEM;
	err = v8_read(r->memory, bytecode_array - V8_TAG + l->bytecode_data,
		      bytecodes, (size_t)size);
	if (!err)
		err = offset_of(bytecodes, (size_t)size, lengths, count, number,
				bytecode_offset);
	free(bytecodes);
	return err;
}
