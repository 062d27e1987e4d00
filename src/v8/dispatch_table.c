/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a function's code is. Since V8 13 (leaptiering) a JSFunction holds a
 * handle into a table of the isolate group; an entry is {entry point, pointer
 * to the Code << 16 with the parameter count below}
 * (v8/src/sandbox/js-dispatch-table.h).
 */
#include <errno.h>

#include "v8/function.h"

#define ENTRY_CODE 8
#define CODE_SHIFT 16

static int dispatched_code(const struct v8_reader *r, uint32_t handle,
			   uint64_t *code)
{
	struct v8_layout bound;
	uint64_t word;
	int err;

	if (!handle)
		return -ESTALE;
	err = v8_engine_bind(r->engine, r->memory, r->bias, &bound);
	if (err)
		return err;
	if (!bound.dispatch_table)
		return -ENOENT;
	err = v8_read_word(r->memory,
			   bound.dispatch_table +
				   (uint64_t)(handle >> V8_DISPATCH_SHIFT) *
					   V8_DISPATCH_ENTRY_BYTES +
				   ENTRY_CODE,
			   &word);
	if (!err)
		*code = word >> CODE_SHIFT | V8_TAG;
	return err;
}

int v8_function_code(const struct v8_reader *r, uint64_t function,
		     uint64_t *code)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint32_t handle;
	int err;

	if (l->function_code)
		err = v8_field(r, function, l->function_code, code);
	else {
		err = v8_field_u32(r, function, l->function_dispatch_handle,
				   &handle);
		if (!err)
			err = dispatched_code(r, handle, code);
	}
	return err ? err : v8_expect(r, *code, l->type_code);
}
