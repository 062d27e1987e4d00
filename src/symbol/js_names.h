/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What JavaScript frames mean: V8 runs a function in several forms one after
 * the other, on its own or as a part of others. Each form has frames of its own
 * (leakbpf/v8_abi.h), but the same place in the source. So every frame is
 * translated to canonical ones, one per function that was active in it, made of
 * what people see: thread, function, file, line (and column, where lines are
 * too long to tell much). The symbolizer learns the names of those.
 */
#ifndef SYMBOL_JS_NAMES_H
#define SYMBOL_JS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/number_set.h"
#include "leakbpf/abi_user.h"
#include "symbol/symbolizer.h"
#include "v8/js_frame.h"

struct js_names;

/* `symbols` must outlive it. `source_maps`: they are looked into. NULL without
 * memory. */
struct js_names *js_names_new(struct symbolizer *symbols, bool source_maps);
void js_names_free(struct js_names *n);

/* What `frame` is; only the first time counts, except that an exact line
 * replaces an approximate one. Functions without a script get
 * the module "builtin", those in a worker "worker TID". */
void js_names_learn(struct js_names *n, const struct js_frame *frame,
		    const struct js_location *location);

/* Before frames are shown: methods get their class, and scripts that were made
 * of other files the places there, where source maps can be read
 * (js_sources.h). Bounded in time; what is left over is tried again. */
void js_names_show(struct js_names *n, const uint64_t *frames, size_t count);

/* Code of V8 itself between functions, in [start, end) of an object: stubs,
 * the interpreter, what it calls C++ through. They differ with the form of the
 * functions, and nobody wants to see them. */
void js_names_hide(struct js_names *n, uint32_t object, uint64_t start,
		   uint64_t end);

/* For struct frame_meaning (profile/merge.h); `context`: a struct js_names. */
size_t js_names_expand(void *context, uint64_t frame, uint64_t *out, size_t max,
		       bool *known);

bool js_names_internal(void *context, uint64_t frame);

/* Most of the room is used. */
bool js_names_is_full(const struct js_names *n);
/* Forgets what is neither in `in_use` nor the meaning of what is; those have to
 * be learnt again. 0, or -ENOMEM and nothing has changed. */
int js_names_forget(struct js_names *n, const struct number_set *in_use);
/* Whether a frame has a meaning here, or is one. */
bool js_names_knows(const struct js_names *n, uint64_t frame);
/* The ids of these objects are about to be others'. */
void js_names_forget_objects(struct js_names *n, const bool *objects);

/* Frames that could not be learnt for lack of room. */
uint64_t js_names_lost(const struct js_names *n);
/* Functions that show neither class nor source, and ranges of code that are not
 * hidden, because of it. */
uint64_t js_names_incomplete(const struct js_names *n);

#endif
