/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls in optimised code that has become invalid under them: V8 lets them
 * return to the call's exit into the deoptimiser, which lies behind the
 * function (v8/src/deoptimizer/deoptimizer.cc, ActivationsFinder). The
 * deoptimisation data has an entry for each exit, with the place that the call
 * would have returned to (v8/src/objects/deoptimization-data.h).
 */
#include <errno.h>

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
	if (err)
		return err;
	if (to == 0 || to > start)
		return -ESTALE;
	*offset = to - 1;
	return 0;
}
