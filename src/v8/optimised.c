/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Places in code of Maglev and Turbofan. The position table has entries for
 * calls that may deoptimise; a position names the inlining it belongs to, and
 * the deoptimisation data where that was inlined (v8/src/codegen/
 * source-position.cc, InliningStack).
 *
 * Calls to the allocator's slow path lie in deferred code behind the function
 * and have no entry, so the one before them belongs to something else. What
 * they allocate is initialised where deferred code jumps back to, and the next
 * call after that is most often the statement that wanted the object: its
 * position, marked as approximate.
 *
 * Maglev takes the first round of a loop that it enters (OSR) out of it, and in
 * V8 13.6 everything in the other rounds has the position of the loop's end,
 * which is that of its head in the source. A function that is inlined at one
 * place only has another entry, of the first round, with the right one. What
 * neither tells is the head of the loop, marked as approximate.
 */
#include <errno.h>
#include <stdlib.h>

#include "probe/insn.h"
#include "v8/code.h"

/* An entry this close before the return address is of this very call. */
#define OWN_ENTRY_BYTES 16
/* How far deferred code goes on before it jumps back, seen up to 60. */
#define DEFERRED_BYTES 80

struct inlining {
	uint64_t position; /* of the call, in the function it is inlined into */
	int32_t function;  /* literal index, or: */
#define OWN_FUNCTION (-1)
	uint32_t padding;
};

/* Where the deferred code at `offset` jumps back to; `offset` itself when that
 * cannot be told. */
static uint32_t rejoin(const struct v8_reader *r, const struct v8_code *code,
		       uint32_t offset)
{
	uint8_t bytes[DEFERRED_BYTES];
	struct insn_reader reader;
	struct insn insn;
	size_t size = offset < code->size ? code->size - offset : 0;
	uint32_t to = offset;

	if (size > sizeof(bytes))
		size = sizeof(bytes);
	if (v8_read(r->memory, code->instructions + offset, bytes, size) ||
	    insn_reader_open(&reader, bytes, size, offset, false))
		return offset;
	while (insn_read(&reader, &insn)) {
		if (insn.flow == INSN_JUMP && insn.target < code->size) {
			to = (uint32_t)insn.target;
			break;
		}
	}
	insn_reader_close(&reader);
	return to;
}

static int code_position(const struct v8_reader *r, const struct v8_code *code,
			 uint32_t offset, bool leaf, struct v8_position *out,
			 bool *approximate)
{
	struct v8_position other;
	uint8_t *data;
	size_t size;
	bool found;
	int err = v8_position_table_read(r, code->positions, &data, &size);

	if (err)
		return err;
	found = v8_position_before(data, size, offset, out);
	*approximate = leaf && !(found && (int64_t)offset - out->code_offset <
						  OWN_ENTRY_BYTES);
	if (*approximate &&
	    v8_position_after(data, size, rejoin(r, code, offset + 1),
			      &other)) {
		*out = other;
		found = true;
	}
	free(data);
	return found ? 0 : -ENOENT;
}

/* SharedFunctionInfo of an inlined function, from the literals. */
static int literal(const struct v8_reader *r, const struct v8_code *code,
		   int32_t index, uint64_t *shared)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t literals;
	int err;

	if (index < 0)
		return -ENOENT;
	err = v8_element(r, code->deoptimization_data, l->deopt_literals_index,
			 &literals);
	if (!err)
		err = v8_element(r, literals, (uint32_t)index, shared);
	*shared = v8_strong(*shared);
	return err ? err : v8_expect(r, *shared, l->type_shared_function_info);
}

static int inlining_at(const struct v8_reader *r, const struct v8_code *code,
		       int32_t index, struct inlining *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t table;
	int32_t bytes;
	int err = v8_element(r, code->deoptimization_data,
			     l->deopt_inlining_positions_index, &table);

	if (!err)
		err = v8_field_smi(r, table, l->array_length, &bytes);
	if (err)
		return err;
	if (bytes < 0 || ((uint64_t)index + 1) * sizeof(*out) > (uint32_t)bytes)
		return -ENOENT;
	return v8_read(r->memory,
		       table - V8_TAG + l->array_data +
			       (uint64_t)index * sizeof(*out),
		       out, sizeof(*out));
}

static int32_t script_offset(uint64_t raw)
{
	return v8_position_is_external(raw) ? -1
					    : v8_position_script_offset(raw);
}

/* Most of what is inlined into one function. */
#define INLININGS_MAX 512

/* Where else than at `loop` the function is inlined into the code's own; -1:
 * nowhere, or at several places. */
static int32_t other_place(const struct v8_reader *r,
			   const struct v8_code *code, uint64_t shared,
			   int32_t loop)
{
	int32_t found = -1;

	for (int32_t i = 0; i < INLININGS_MAX; i++) {
		struct inlining other;
		uint64_t function;
		int32_t place;

		if (inlining_at(r, code, i, &other))
			break;
		place = script_offset(other.position);
		if (v8_position_inlining(other.position) >= 0 || place < 0 ||
		    place == loop || place == found ||
		    literal(r, code, other.function, &function) ||
		    function != shared)
			continue;
		if (found >= 0)
			return -1;
		found = place;
	}
	return found;
}

/* The outermost of `count` functions is said to be at the loop's end. */
static void repair(const struct v8_reader *r, const struct v8_code *code,
		   int32_t loop, struct v8_inlined *out, uint32_t count)
{
	struct v8_inlined *own = &out[count - 1];
	int32_t place =
		count > 1 ? other_place(r, code, out[count - 2].shared, loop)
			  : -1;

	own->approximate = true;
	own->in_loop = place < 0;
	if (place >= 0)
		own->script_offset = place;
}

int v8_optimised_positions(const struct v8_reader *r,
			   const struct v8_code *code, uint32_t offset,
			   bool leaf, int32_t loop, struct v8_inlined *out,
			   uint32_t max, uint32_t *count)
{
	struct v8_position position;
	bool approximate;
	uint64_t raw;
	int err = v8_call_offset(r, code, &offset);

	*count = 0;
	if (!err)
		err = code_position(r, code, offset, leaf, &position,
				    &approximate);
	if (err)
		return err;
	raw = position.raw;
	while (*count + 1 < max && v8_position_inlining(raw) >= 0) {
		struct inlining inlining;
		uint64_t shared = 0;

		err = inlining_at(r, code, v8_position_inlining(raw),
				  &inlining);
		/* Itself, where it called itself by way of another. */
		if (!err && inlining.function != OWN_FUNCTION)
			err = literal(r, code, inlining.function, &shared);
		if (err)
			return err;
		out[(*count)++] = (struct v8_inlined){
			shared, script_offset(raw), approximate, false};
		raw = inlining.position;
	}
	/* Deeper than `max`: that much of the outermost is not known. */
	out[(*count)++] = (struct v8_inlined){
		0, v8_position_inlining(raw) >= 0 ? -1 : script_offset(raw),
		approximate, false};
	if (loop >= 0 && out[*count - 1].script_offset == loop)
		repair(r, code, loop, out, *count);
	return 0;
}
