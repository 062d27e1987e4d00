/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls in optimised code that has become invalid under them: V8 lets them
 * return to the call's exit into the deoptimiser, which lies behind the
 * function (v8/src/deoptimizer/deoptimizer.cc, ActivationsFinder). The
 * deoptimisation data has an entry for each exit, with the place that the call
 * would have returned to (v8/src/objects/deoptimization-data.h). With Maglev
 * that place is the exit's own; its table of safepoints has the other one
 * (v8/src/codegen/maglev-safepoint-table.h).
 */
#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "v8/code.h"

/* Of all exits, on x86-64 and arm64. */
#define EXIT_BYTES 4

/* Elements of the deoptimisation data behind the inlining positions. */
enum deopt_element {
	EXITS_START = 1, /* offset in the code */
	EAGER_COUNT,	 /* exits of checks; they are first */
	LAZY_COUNT,	 /* exits of calls */
	FIRST_ENTRY,
};

/* An entry: offset of the bytecode, translation, offset in the code. */
#define ENTRY_ELEMENTS 3
#define ENTRY_PC       2

/* -ENOENT: there is no such element. */
static int number(const struct v8_reader *r, const struct v8_code *code,
		  uint32_t element, uint32_t *out)
{
	uint32_t index =
		v8_layout_of(r)->deopt_inlining_positions_index + element;
	uint64_t word;
	int err = v8_element(r, code->deoptimization_data, index, &word);

	if (err)
		return err;
	if (!v8_is_smi(word) || v8_smi(word) < 0)
		return -ESTALE;
	*out = (uint32_t)v8_smi(word);
	return 0;
}

/* Maglev's table as of V8 13, right behind the instructions. An entry: where a
 * call returns to, number of its exit, where that returns to + 1, slots on the
 * stack (a byte), registers. */
struct safepoints {
	uint32_t stack_slots, count, sizes, tagged_slots;
};

static uint32_t little_endian(const uint8_t *bytes, uint32_t size)
{
	uint32_t value = 0;

	while (size--)
		value = value << 8 | bytes[size];
	return value;
}

/* Where the call returns to whose exit returns to `back`. */
static int call_of_exit(const struct v8_reader *r, const struct v8_code *code,
			uint32_t back, uint32_t *to)
{
	CLEANUP_FREE uint8_t *entries = NULL;
	uint64_t at = code->instructions + code->size;
	uint32_t place, number, entry;
	struct safepoints table;
	int err = v8_read(r->memory, at, &table, sizeof(table));

	if (err)
		return err;
	place = table.sizes >> 4 & 7;
	number = table.sizes >> 7 & 7;
	entry = place + number + place + 1 + (table.sizes >> 1 & 7);
	if (!(table.sizes & 1) || place < 1 || place > 4 ||
	    table.count > V8_TABLE_BYTES_MAX / entry)
		return -ESTALE;
	entries = malloc((size_t)table.count * entry + 1);
	if (!entries)
		return -ENOMEM;
	err = v8_read(r->memory, at + sizeof(table), entries,
		      (size_t)table.count * entry);
	for (uint32_t i = 0; !err && i < table.count; i++) {
		const uint8_t *e = entries + (size_t)i * entry;

		if (little_endian(e + place + number, place) != back + 1)
			continue;
		*to = little_endian(e, place);
		return 0;
	}
	return err ? err : -ENOENT;
}

int v8_call_offset(const struct v8_reader *r, const struct v8_code *code,
		   uint32_t *offset)
{
	/* The offset is that of the byte before the one returned to. */
	uint32_t back = *offset + 1, start, eager, lazy, nth, to;
	int err;

	/* Code without that data has no exits. */
	if (number(r, code, EXITS_START, &start) || back < start)
		return 0;
	err = number(r, code, EAGER_COUNT, &eager);
	if (!err)
		err = number(r, code, LAZY_COUNT, &lazy);
	if (err)
		return err;
	nth = (back - start) / EXIT_BYTES;
	if ((back - start) % EXIT_BYTES || nth < eager || nth - eager >= lazy)
		return -ENOENT;
	err = number(r, code, FIRST_ENTRY + nth * ENTRY_ELEMENTS + ENTRY_PC,
		     &to);
	if (!err && to == back)
		err = call_of_exit(r, code, back, &to);
	if (err)
		return err;
	if (to == 0 || to > start)
		return -ESTALE;
	*offset = to - 1;
	return 0;
}
