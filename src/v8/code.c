/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/code.h"

#include <errno.h>

int v8_code_read(const struct v8_reader *r, uint64_t code, struct v8_code *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint32_t flags, osr_offset;
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
	out->osr_offset = -1;
	if (!err && l->code_osr_offset &&
	    !v8_field_u32(r, code, l->code_osr_offset, &osr_offset))
		out->osr_offset = (int32_t)osr_offset;
	return err;
}

/* Of a function: itself, or where baseline code has it. */
static int bytecode_of(const struct v8_reader *r, uint64_t shared,
		       uint64_t *bytecode)
{
	const struct v8_layout *l = v8_layout_of(r);
	struct v8_code baseline;
	int err = v8_field(r, shared, l->shared_function_data, bytecode);

	if (err || !v8_expect(r, *bytecode, l->type_bytecode_array))
		return err;
	err = v8_code_read(r, *bytecode, &baseline);
	*bytecode = baseline.deoptimization_data;
	return err ? err : v8_expect(r, *bytecode, l->type_bytecode_array);
}

int32_t v8_osr_position(const struct v8_reader *r, const struct v8_code *code,
			uint64_t shared)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t bytecode;
	int32_t position;

	/* Maglev is the first kind behind baseline. */
	if (code->osr_offset < 0 || code->kind != l->code_kind_baseline + 1u ||
	    !l->shared_function_data || bytecode_of(r, shared, &bytecode) ||
	    v8_bytecode_position(r, bytecode, (uint32_t)code->osr_offset,
				 &position))
		return -1;
	return position;
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
