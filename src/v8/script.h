/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts: their file, and lines of their source. V8 computes line ends only
 * when it prints a stack, so the source itself is read, once, and the starts of
 * its lines are kept.
 */
#ifndef V8_SCRIPT_H
#define V8_SCRIPT_H

#include "base/text.h"
#include "v8/heap_object.h"

/*
 * Appends the script's file as people write it: "/srv/app.js" (also for
 * "file:///srv/app.js"), "node:internal/timers", the //# sourceURL= of
 * evaluated code, "[eval]" without one.
 */
int v8_script_name(const struct v8_reader *r, uint64_t script,
		   struct text *out);

struct js_scripts;
struct js_level;

/*
 * Fills line and column of an offset into the script's source, with the
 * script's own origin added (code embedded in a larger file), whether the line
 * is a long one, and where the source map is. `heap` tells isolates apart.
 */
int v8_script_place(const struct v8_reader *r, struct js_scripts *scripts,
		    uint64_t heap, uint64_t script, uint32_t offset,
		    struct js_level *level);

#endif
