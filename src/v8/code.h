/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Code objects: from a place in machine code or bytecode to a position in the
 * script's source.
 */
#ifndef V8_CODE_H
#define V8_CODE_H

#include "v8/heap_object.h"
#include "v8/position_table.h"

/* Of what is read whole: position tables, bytecode. */
#define V8_TABLE_BYTES_MAX (4u << 20)

struct v8_code {
	uint64_t instructions; /* address */
	uint32_t size;
	uint32_t kind;
	int32_t osr_offset; /* of bytecode; -1: the code is a whole function's
			     */
	uint64_t positions; /* ByteArray or Smi 0; tagged */
	uint64_t deoptimization_data;
};

/* Reads a Code object; -ESTALE: not one. */
int v8_code_read(const struct v8_reader *r, uint64_t code, struct v8_code *out);

/* Is the address among the code's instructions? */
bool v8_code_holds(const struct v8_code *code, uint64_t address);

/*
 * The code object that holds an address, found by going back from it to the
 * header of the instructions. For code that its function does not lead to any
 * more: of loops that were optimised while they ran (OSR), and of calls that
 * were under way when their function got better code. -ENOENT: none within
 * 256 KiB, as for builtins.
 */
int v8_code_at(const struct v8_reader *r, uint64_t address,
	       struct v8_code *out);

/* The position table that code refers to, malloc'ed; -ENOENT: it has none. */
int v8_position_table_read(const struct v8_reader *r, uint64_t table,
			   uint8_t **data, size_t *size);

/* Position in the source of a bytecode; -ENOENT: its table does not say. */
int v8_bytecode_position(const struct v8_reader *r, uint64_t bytecode_array,
			 uint32_t bytecode_offset, int32_t *script_offset);

/*
 * Position of the loop that code of Maglev was entered at (OSR); -1: it was
 * not, or that cannot be read. `shared`: its function.
 */
int32_t v8_osr_position(const struct v8_reader *r, const struct v8_code *code,
			uint64_t shared);

/* Offset of the bytecode that baseline code is executing at `offset`. */
int v8_baseline_offset(const struct v8_reader *r, const struct v8_code *code,
		       uint64_t bytecode_array, uint32_t offset,
		       uint32_t *bytecode_offset);

/*
 * Where the call is that *offset belongs to: V8 leads calls in code that has
 * become invalid elsewhere. 0: *offset is it; else that cannot be told.
 */
int v8_call_offset(const struct v8_reader *r, const struct v8_code *code,
		   uint32_t *offset);

/* A function inlined into optimised code, or at last the code's own. */
struct v8_inlined {
	uint64_t shared;       /* tagged; 0: the code's own function */
	int32_t script_offset; /* -1: unknown */
	bool approximate;
	bool in_loop; /* it is the loop's, and where in it is not known */
};

/*
 * What optimised code is executing at `offset`, innermost function first, at
 * most `max`; *count of them are filled. `leaf`: the frame called no
 * JavaScript: allocations there are made by slow paths without a position of
 * their own. `loop`: v8_osr_position.
 */
int v8_optimised_positions(const struct v8_reader *r,
			   const struct v8_code *code, uint32_t offset,
			   bool leaf, int32_t loop, struct v8_inlined *out,
			   uint32_t max, uint32_t *count);

#endif
