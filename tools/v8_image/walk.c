/* SPDX-License-Identifier: GPL-2.0-only */
#include "walk.h"

#include <string.h>

#include "v8/code.h"
#include "v8/function.h"

/* What runs at f->pc, by the function's code or else by the frame. */
static void find_kind(const struct v8_reader *r, uint64_t fp,
		      struct js_frame *f)
{
	const struct v8_layout *l = v8_layout_of(r);
	struct v8_code code;
	uint64_t offset, address = 0;

	if (!v8_function_code(r, f->function, &address) &&
	    !v8_code_read(r, address, &code) && f->pc >= code.instructions &&
	    f->pc - code.instructions < code.size) {
		f->position = (uint32_t)(f->pc - code.instructions);
		f->kind = code.kind < l->code_kind_baseline ? JS_CODE_BUILTIN
			  : code.kind == l->code_kind_baseline
				  ? JS_CODE_BASELINE
				  : JS_CODE_OPTIMISED;
		f->code = address;
		if (f->kind != JS_CODE_BUILTIN)
			return;
	}
	/* Code that its function does not lead to, and BPF does not find. */
	if (!v8_code_at(r, f->pc, &code)) {
		f->bytecode_array = 0;
		return;
	}
	if (v8_expect(r, f->bytecode_array, l->type_bytecode_array) ||
	    v8_read_word(r->memory, fp + (int64_t)l->frame_bytecode_offset,
			 &offset) ||
	    !v8_is_smi(offset))
		return;
	f->kind = JS_CODE_INTERPRETED;
	f->position = (uint32_t)v8_smi(offset) - (l->bytecode_data - V8_TAG);
}

static bool read_frame(const struct v8_reader *r, uint64_t fp,
		       struct js_frame *f)
{
	const struct v8_layout *l = v8_layout_of(r);
	uint64_t context, function, shared, bytecodes, script, receiver;
	uint32_t literal = 0;

	memset(f, 0, sizeof(*f));
	if (v8_read_word(r->memory, fp + (int64_t)l->frame_context, &context) ||
	    !v8_is_pointer(context) ||
	    v8_read_word(r->memory, fp + (int64_t)l->frame_function,
			 &function) ||
	    v8_function_shared(r, function, &shared) ||
	    v8_read_word(r->memory, fp + (int64_t)l->frame_bytecode_array,
			 &bytecodes))
		return false;
	f->function = function;
	f->shared = shared;
	f->bytecode_array = bytecodes;
	if (!v8_read_word(r->memory, fp + V8_FRAME_RECEIVER, &receiver))
		f->receiver = receiver;
	if (v8_function_script(r, shared, &script))
		f->kind = JS_CODE_BUILTIN;
	else if (!v8_field_smi(r, script, l->script_id, &f->script_id) &&
		 !v8_field_u32(r, shared, l->shared_function_literal_id,
			       &literal))
		f->function_literal_id = (int32_t)literal;
	return true;
}

static size_t walk_chain(const struct v8_reader *r, uint64_t fp, uint64_t to,
			 struct js_frame frames[WALK_FRAMES_MAX])
{
	uint64_t next, pc = 0;
	size_t count = 0;

	while (count < WALK_FRAMES_MAX) {
		struct js_frame *f = &frames[count];

		v8_memory_begin(r->memory);
		if (pc && read_frame(r, fp, f)) {
			f->pc = pc - 1;
			f->leaf = count == 0;
			if (f->kind != JS_CODE_BUILTIN)
				find_kind(r, fp, f);
			count++;
		}
		if (v8_read_word(r->memory, fp + 8, &pc) ||
		    v8_read_word(r->memory, fp, &next) || next <= fp ||
		    next >= to || next % 8)
			break;
		fp = next;
	}
	return count;
}

size_t walk_stack(const struct v8_reader *r, uint64_t from, uint64_t to,
		  struct js_frame frames[WALK_FRAMES_MAX])
{
	/* libc keeps no frame pointers: the first chain that meets JavaScript.
	 */
	for (uint64_t fp = from & ~7ULL; fp + 16 <= to; fp += 8) {
		size_t count = walk_chain(r, fp, to, frames);

		if (count > 1)
			return count;
	}
	return 0;
}
