/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Line starts of scripts and where their source maps are, remembered within a
 * budget of bytes; those unused for longest go first. Of one process:
 * js_scripts_new and _free are in js_frame.h.
 */
#ifndef V8_SCRIPTS_H
#define V8_SCRIPTS_H

#include "v8/heap_object.h"
#include "v8/line_starts.h"

/* What identifies a source. Ids are unique within an isolate; the length guards
 * against a new isolate at the address of an old one. */
struct js_script {
	uint64_t heap;
	int32_t id;
	uint32_t source_units;
};

struct js_scripts;

/* What is remembered of a script. */
struct js_source {
	struct line_starts lines;
	struct js_map_url *map; /* NULL: none, or more than fits */
};

/* Remembered, or read from its strings: `source`, and `map_url`, which may be
 * none; valid until the next call. */
int js_scripts_get(struct js_scripts *s, const struct v8_reader *r,
		   const struct js_script *script, uint64_t source,
		   uint64_t map_url, const struct js_source **out);

#endif
