/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JavaScript frames of a stopped thread, found by following frame pointers from
 * outside, as the BPF programs do from inside.
 */
#ifndef TOOLS_V8_IMAGE_WALK_H
#define TOOLS_V8_IMAGE_WALK_H

#include "v8/heap_object.h"

#define WALK_FRAMES_MAX 64

/* Fills `frames`, innermost first; how many. `from`: the lowest stack address,
 * `to`: one past the highest. */
size_t walk_stack(const struct v8_reader *r, uint64_t from, uint64_t to,
		  struct js_frame frames[WALK_FRAMES_MAX]);

#endif
