/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/code.h"

#include <errno.h>

int v8_code_read(const struct v8_reader *r, uint64_t code, struct v8_code *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint32_t flags;
	int err = v8_expect(r, code, l->type_code);

	if (err)
		return err;
	out->instructions = code - V8_TAG + l->code_instruction_start;
	if (!l->code_instructions_inline)
		err = v8_field(r, code, l->code_instruction_start,
			       &out->instructions);
	if (!err)
		err = v8_field_u32(r, code, l->code_instruction_size,
				   &out->size);
	if (!err)
		err = v8_field_u32(r, code, l->code_flags, &flags);
	if (!err)
		err = v8_field(r, code, l->code_source_positions,
			       &out->positions);
	if (!err)
		err = v8_field(r, code, l->code_deoptimization_data,
			       &out->deoptimization_data);
	if (!err)
		out->kind = flags & l->code_kind_mask;
	return err;
}

bool v8_code_holds(const struct v8_code *code, uint64_t address)
{
	return address >= code->instructions &&
	       address - code->instructions < code->size;
}

int v8_position_table_read(const struct v8_reader *r, uint64_t table,
			   uint8_t **data, size_t *size)
{
	if (!v8_is_pointer(table))
		return -ENOENT;
	return v8_byte_array(r, table, V8_TABLE_BYTES_MAX, data, size);
}
