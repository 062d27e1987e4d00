/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/js_frame.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "v8/code.h"
#include "v8/function.h"
#include "v8/method_class.h"
#include "v8/script.h"

/* What all steps of resolving one frame need. */
struct resolving {
	struct v8_reader reader;
	struct js_scripts *scripts;
	const struct js_frame *frame;
	struct js_location *out;
};

/* One function and the place in it. */
struct place {
	uint64_t shared;
	int32_t script_offset; /* -1: not known */
	bool approximate, in_loop;
};

/* Keeps isolates apart: threads do when the heap is not known. */
static uint64_t isolate_of(const struct js_frame *frame)
{
	return frame->heap ? frame->heap : frame->tid;
}

/* What identifies the function for good; zeroes for what has no script. */
static void fill_identity(struct resolving *w, uint64_t shared, uint64_t script,
			  struct js_level *level)
{
	const struct v8_layout *l = v8_layout_of(&w->reader);
	uint32_t literal;

	if (!v8_field_u32(&w->reader, shared, l->shared_function_literal_id,
			  &literal) &&
	    !v8_field_smi(&w->reader, script, l->script_id, &level->script_id))
		level->literal_id = (int32_t)literal;
}

/* Script and line of a level whose function is known. */
static int fill_place(struct resolving *w, const struct place *p,
		      struct js_level *level)
{
	struct text file = {0};
	uint64_t script;
	int err = v8_function_script(&w->reader, p->shared, &script);

	if (err)
		return err;
	fill_identity(w, p->shared, script, level);
	err = v8_script_name(&w->reader, script, &file);
	if (err) {
		text_free(&file);
		return err;
	}
	level->file = file.data;
	if (p->script_offset < 0)
		return -ENOENT;
	err = v8_script_place(&w->reader, w->scripts, isolate_of(w->frame),
			      script, (uint32_t)p->script_offset, level);
	level->approximate = !err && p->approximate;
	level->in_loop = !err && p->in_loop;
	return err;
}

/* Adds a level; the error of what is missing beside the function's name. */
static int add_level(struct resolving *w, const struct place *p, int *missing)
{
	struct js_level *level = &w->out->levels[w->out->level_count];
	struct text name = {0};
	int err = v8_function_name(&w->reader, p->shared, &name);

	if (err) {
		text_free(&name);
		return err;
	}
	level->function = name.data;
	w->out->level_count++;
	*missing = fill_place(w, p, level);
	return 0;
}

/* Is this the function that the frame was captured with? */
static int check_identity(struct resolving *w, uint64_t shared)
{
	const struct v8_layout *l = v8_layout_of(&w->reader);
	const struct js_frame *f = w->frame;
	uint32_t literal;
	uint64_t script;
	int32_t id;
	int err = v8_expect(&w->reader, shared, l->type_shared_function_info);

	if (err || !f->script_id)
		return err;
	err = v8_field_u32(&w->reader, shared, l->shared_function_literal_id,
			   &literal);
	if (!err)
		err = v8_function_script(&w->reader, shared, &script);
	if (!err)
		err = v8_field_smi(&w->reader, script, l->script_id, &id);
	if (err)
		return err == -ENOENT ? -ESTALE : err;
	return id == f->script_id && (int32_t)literal == f->function_literal_id
		       ? 0
		       : -ESTALE;
}

static int find_shared(struct resolving *w, uint64_t *shared)
{
	int err, other;

	*shared = w->frame->shared;
	err = check_identity(w, *shared);
	if (!err)
		return 0;
	other = v8_function_shared(&w->reader, w->frame->function, shared);
	if (!other)
		other = check_identity(w, *shared);
	return other ? err : 0;
}

/* The code object that runs at the frame's position. */
static int running_code(struct resolving *w, struct v8_code *code)
{
	int err = v8_code_read(&w->reader, w->frame->code, code);

	if (!err && v8_code_holds(code, w->frame->pc))
		return 0;
	return v8_code_at(&w->reader, w->frame->pc, code) ? -ESTALE : 0;
}

static int interpreted(struct resolving *w, struct place *p)
{
	return v8_bytecode_position(&w->reader, w->frame->bytecode_array,
				    w->frame->position, &p->script_offset);
}

static int baseline(struct resolving *w, const struct v8_code *code,
		    struct place *p)
{
	/* Baseline code has no deoptimisation data, but its bytecode there. */
	uint64_t array = w->frame->bytecode_array ? w->frame->bytecode_array
						  : code->deoptimization_data;
	uint32_t offset;
	int err = v8_baseline_offset(
		&w->reader, code, array,
		(uint32_t)(w->frame->pc - code->instructions), &offset);

	return err ? err
		   : v8_bytecode_position(&w->reader, array, offset,
					  &p->script_offset);
}

/* Adds the inlined functions; the outermost is left to the caller. */
static int optimised(struct resolving *w, const struct v8_code *code,
		     struct place *p, int *missing)
{
	struct v8_inlined inlined[JS_LEVELS_MAX];
	uint32_t count;
	int err = v8_optimised_positions(
		&w->reader, code, (uint32_t)(w->frame->pc - code->instructions),
		w->frame->leaf, v8_osr_position(&w->reader, code, p->shared),
		inlined, JS_LEVELS_MAX, &count);

	for (uint32_t i = 0; !err && i < count - 1; i++) {
		uint64_t shared = inlined[i].shared;
		struct place inner = {shared ? shared : p->shared,
				      inlined[i].script_offset,
				      inlined[i].approximate, false};

		err = add_level(w, &inner, missing);
	}
	if (!err) {
		p->script_offset = inlined[count - 1].script_offset;
		p->approximate = inlined[count - 1].approximate;
		p->in_loop = inlined[count - 1].in_loop;
	}
	return err;
}

/* The programs could not tell what ran: a page was not there, or the function
 * has other code by now. -ESRCH: nor can we. */
static int unknown_code(struct resolving *w, struct place *p, int *missing)
{
	const struct v8_layout *l = v8_layout_of(&w->reader);
	struct v8_code code;
	uint64_t address;

	if (v8_function_code(&w->reader, w->frame->function, &address) ||
	    v8_code_read(&w->reader, address, &code) ||
	    !v8_code_holds(&code, w->frame->pc)) {
		if (v8_code_at(&w->reader, w->frame->pc, &code))
			return -ESRCH;
	}
	if (code.kind < l->code_kind_baseline)
		return -ESRCH;
	return code.kind == l->code_kind_baseline
		       ? baseline(w, &code, p)
		       : optimised(w, &code, p, missing);
}

/* Of the function that the frame is of, by which object it is called on; 0, or
 * -ENOMEM. */
static int fill_prefix(struct resolving *w, uint64_t shared,
		       struct js_level *level)
{
	const struct js_frame *f = w->frame;
	struct text prefix = {0};
	uint64_t own;
	uint16_t type = 0;
	int err = v8_function_shared(&w->reader, f->function, &own);

	if (err || own != shared)
		return 0;
	if (!v8_type(&w->reader, f->function, &type, NULL) &&
	    type == v8_layout_of(&w->reader)->type_js_function_last) {
		text_add(&prefix, "new ");
	} else {
		err = v8_method_class(&w->reader, f->function, f->receiver,
				      &prefix);
		text_add(&prefix, ".");
	}
	if (!err && !prefix.failed)
		level->prefix = prefix.data;
	else
		text_free(&prefix);
	return err == -ENOMEM || prefix.failed ? -ENOMEM : 0;
}

static int find_place(struct resolving *w, struct place *p, int *missing)
{
	struct v8_code code;
	int err;

	switch (w->frame->kind) {
	case JS_CODE_INTERPRETED:
		return interpreted(w, p);
	case JS_CODE_BASELINE:
		err = running_code(w, &code);
		return err ? err : baseline(w, &code, p);
	case JS_CODE_OPTIMISED:
		err = running_code(w, &code);
		return err ? err : optimised(w, &code, p, missing);
	case JS_CODE_BUILTIN:
		return 0;
	default:
		return unknown_code(w, p, missing);
	}
}

static void drop_levels(struct js_location *out)
{
	for (uint32_t i = 0; i < out->level_count; i++) {
		free(out->levels[i].function);
		free(out->levels[i].file);
		free(out->levels[i].prefix);
		js_map_url_release(out->levels[i].map);
	}
	memset(out->levels, 0, sizeof(out->levels));
	out->level_count = 0;
}

/* From what stopped a step to what the frame lacks. */
static enum js_shortfall shortfall_of(int err)
{
	switch (err) {
	case 0:
		return JS_COMPLETE;
	case -ESRCH:
		return JS_OTHER_CODE;
	case -ESTALE:
		return JS_MOVED;
	case -EFAULT:
		return JS_UNREADABLE;
	default:
		return JS_NO_POSITION;
	}
}

static int resolve(struct resolving *w)
{
	struct place place = {.script_offset = -1};
	int missing = 0, own = 0, err = find_shared(w, &place.shared);

	if (!err) {
		err = find_place(w, &place, &missing);
		if (err)
			drop_levels(w->out);
		missing = err ? err : missing;
		err = add_level(w, &place, &own);
	}
	if (!err)
		err = fill_prefix(w, place.shared,
				  &w->out->levels[w->out->level_count - 1]);
	/* Moved meanwhile? Then it was something else's memory in part. */
	v8_memory_forget(w->reader.memory);
	if (!err)
		err = check_identity(w, place.shared);
	if (err)
		drop_levels(w->out);
	if (err == -ENOMEM || missing == -ENOMEM || own == -ENOMEM)
		return -ENOMEM;
	/* A builtin has neither script nor line to lack. */
	if (!err && own == -ENOENT &&
	    !w->out->levels[w->out->level_count - 1].file)
		own = missing = 0;
	w->out->shortfall = shortfall_of(err ? err : missing ? missing : own);
	return 0;
}

int js_frame_resolve(const struct v8_engine *engine, uint64_t bias,
		     struct v8_memory *memory, struct js_scripts *scripts,
		     const struct js_frame *frame, struct js_location *out)
{
	struct resolving w = {
		.reader = {engine, bias, memory},
		.scripts = scripts,
		.frame = frame,
		.out = out,
	};
	int err;

	memset(out, 0, sizeof(*out));
	v8_memory_begin(memory);
	err = resolve(&w);
	if (err)
		drop_levels(out);
	return err;
}

void js_location_free(struct js_location *location)
{
	drop_levels(location);
}
