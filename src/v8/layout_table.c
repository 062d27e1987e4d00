/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The known versions of V8, as Node builds them for x86-64: no pointer
 * compression, no sandbox.
 *
 * Each row is complete. Where the object has a v8dbg_* constant, the constant
 * wins (layout_symbols.c); the unit test compares the two on real binaries. The
 * rest was read from V8's sources and from machine code, and verified on live
 * processes. docs/v8.md says how, field by field.
 */
#include "v8/layout_table.h"

/* The same in all rows, checked on each of them. */
#define COMMON                                                                 \
	.frame_context = -8, .frame_function = -16,                            \
	.frame_bytecode_array = -32, .frame_bytecode_offset = -40,             \
	.type_first_nonstring = 128, .map_instance_type = 12,                  \
	.map_constructor = 32, .map_prototype = 24, .object_properties = 8,    \
	.function_prototype = 56, .script_source = 8, .script_name = 16,       \
	.script_line_offset = 24, .script_column_offset = 32, .script_id = 64, \
	.code_kind_mask = 15, .scope_info_context_locals = 2,                  \
	.string_length = 12, .string_chars = 16, .cons_first = 16,             \
	.cons_second = 24, .sliced_parent = 16, .sliced_offset = 24,           \
	.thin_actual = 16, .external_data = 24, .array_length = 8,             \
	.array_data = 16, .allocator_heap = 8, .scavenger_heap = 8

const struct v8_row v8_rows[] = {
	{
		.major = 10,
		.minor = 2,
		.node = "18",
		.layout =
			{
				COMMON,
				.type_map = 250,
				.type_js_function_first = 2065,
				.type_js_function_last = 2080,
				.type_shared_function_info = 257,
				.type_code = 240,
				.type_bytecode_array = 195,
				.type_script = 170,
				.type_scope_info = 256,
				.type_context_first = 207,
				.type_context_last = 216,
				.type_fixed_array = 179,
				.function_shared = 24,
				.function_code = 48,
				.shared_name_or_scope_info = 16,
				.shared_script = 32,
				.script_source_url = 104,
				.script_source_map_url = 112,
				.shared_function_literal_id = 52,
				.code_instruction_start = 128,
				.code_instructions_inline = 1,
				.code_instruction_size = 40,
				.code_flags = 48,
				.code_kind_baseline = 11,
				.code_deoptimization_data = 16,
				.code_source_positions = 24,
				.bytecode_data = 56,
				.bytecode_source_positions = 32,
				.scope_info_first_vars = 3,
				.allocator_lab = 0xc8,
				.page_flags = 8,
				.page_metadata = V8_PAGE_INLINE,
				.metadata_mark_bits = 0x128,
				.metadata_area_start = 0x18,
				.isolate_from_heap = 0xc638,
				.isolate_c_entry_fp = 0x4538,
				.deopt_literals_index = 2,
				.deopt_inlining_positions_index = 7,
			},
	},
	{
		.major = 11,
		.minor = 3,
		.node = "20",
		.layout =
			{
				COMMON,
				.type_map = 255,
				.type_js_function_first = 2066,
				.type_js_function_last = 2081,
				.type_shared_function_info = 262,
				.type_code = 245,
				.type_bytecode_array = 191,
				.type_script = 167,
				.type_scope_info = 261,
				.type_context_first = 205,
				.type_context_last = 214,
				.type_fixed_array = 175,
				.function_shared = 24,
				.function_code = 48,
				.shared_name_or_scope_info = 16,
				.shared_script = 32,
				.script_source_url = 112,
				.script_source_map_url = 120,
				.shared_function_literal_id = 52,
				.code_instruction_start = 40,
				.code_instruction_size = 56,
				.code_flags = 48,
				.code_kind_baseline = 11,
				.code_deoptimization_data = 16,
				.code_source_positions = 24,
				.bytecode_data = 54,
				.bytecode_source_positions = 32,
				.scope_info_first_vars = 3,
				.allocator_lab = 0x50,
				.page_flags = 8,
				.page_metadata = V8_PAGE_INLINE,
				.metadata_mark_bits = 0x140,
				.metadata_area_start = 0x18,
				.isolate_from_heap = 0xd2c0,
				.isolate_c_entry_fp = 0x180,
				.deopt_literals_index = 2,
				.deopt_inlining_positions_index = 7,
			},
	},
	{
		.major = 12,
		.minor = 4,
		.node = "22",
		.layout =
			{
				COMMON,
				.type_map = 264,
				.type_js_function_first = 2066,
				.type_js_function_last = 2082,
				.type_shared_function_info = 274,
				.type_code = 206,
				.type_bytecode_array = 205,
				.type_script = 167,
				.type_scope_info = 272,
				.type_context_first = 190,
				.type_context_last = 199,
				.type_fixed_array = 174,
				.function_shared = 32,
				.function_code = 24,
				.shared_name_or_scope_info = 16,
				.shared_script = 32,
				.script_source_url = 112,
				.script_source_map_url = 120,
				.shared_function_literal_id = 52,
				.code_instruction_start = 40,
				.code_instruction_size = 52,
				.code_flags = 48,
				.code_kind_baseline = 10,
				.code_deoptimization_data = 8,
				.code_source_positions = 16,
				.bytecode_data = 64,
				.bytecode_source_positions = 24,
				.scope_info_first_vars = 3,
				.allocator_lab = 0xa0,
				.page_flags = 0,
				.page_metadata = 8,
				.metadata_mark_bits = 0x140,
				.metadata_area_start = 0x20,
				.isolate_from_heap = 0xdea0,
				.isolate_c_entry_fp = 0x110,
				.deopt_literals_index = 2,
				.deopt_inlining_positions_index = 7,
			},
	},
	{
		.major = 13,
		.minor = 6,
		.node = "24",
		.isolate_group_dispatch_table = 0x3270,
		.layout =
			{
				COMMON,
				.type_map = 272,
				.type_js_function_first = 2065,
				.type_js_function_last = 2081,
				.type_shared_function_info = 282,
				.type_code = 187,
				.type_bytecode_array = 186,
				.type_script = 167,
				.type_scope_info = 280,
				.type_context_first = 220,
				.type_context_last = 229,
				.type_fixed_array = 205,
				.function_shared = 32,
				.function_dispatch_handle = 24,
				.shared_name_or_scope_info = 24,
				.shared_script = 40,
				.script_source_url = 112,
				.script_source_map_url = 120,
				.shared_function_literal_id = 60,
				.code_instruction_start = 40,
				.code_instruction_size = 56,
				.code_flags = 52,
				.code_kind_baseline = 10,
				.code_deoptimization_data = 8,
				.code_source_positions = 16,
				.code_osr_offset = 68,
				.shared_function_data = 8,
				.deopt_literals_index = 3,
				.deopt_inlining_positions_index = 8,
				.bytecode_data = 64,
				.bytecode_source_positions = 24,
				.scope_info_first_vars = 5,
				.allocator_lab = 0xa0,
				.page_flags = 0,
				.page_metadata = 8,
				.metadata_mark_bits = 0x140,
				.metadata_area_start = 0x48,
				.isolate_from_heap = 0xeff8,
				.isolate_c_entry_fp = 0x140,
			},
	},
};

const size_t v8_row_count = sizeof(v8_rows) / sizeof(v8_rows[0]);
