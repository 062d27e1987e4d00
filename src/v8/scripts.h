/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Line starts of scripts, remembered within a budget of bytes; those unused for
 * longest go first. Of one process: js_scripts_new and _free are in js_frame.h.
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

/* Remembered, or read from `source`; valid until the next call. */
int js_scripts_get(struct js_scripts *s, const struct v8_reader *r,
		   const struct js_script *script, uint64_t source,
		   const struct line_starts **out);

#endif
