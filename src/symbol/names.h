/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where reports get names from: the symbolizer of a live run, or a capture
 * file, which has them inside. Whoever writes a report sees only this.
 */
#ifndef SYMBOL_NAMES_H
#define SYMBOL_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/object.h"
#include "symbol/symbolizer.h"

/* What a name source knows of an object; texts are valid as long as it is. */
struct names_object {
	const char *path; /* as the target named it */
	const uint8_t *build_id;
	uint32_t build_id_size; /* 0: none */
	/* Its executable segments: link-time addresses [start, end), and where
	 * `start` lies in the file. */
	uint64_t text_start, text_end, text_offset;
};

struct names {
	/* Many frames (encoding: leakbpf/abi.h) of one process at once, before
	 * they are asked for one by one. 0 or -ENOMEM. */
	int (*resolve)(void *context, uint32_t tgid, const uint64_t *frames,
		       size_t count);
	/* Never NULL, and valid as long as the source is. */
	const struct symbol *(*get)(void *context, uint64_t frame);
	/* False: not known. */
	bool (*object)(void *context, uint32_t id, struct names_object *out);
	/* Objects with debug information that could not be read. */
	uint32_t (*objects_given_up)(void *context);
	void *context;
};

struct js_names;

/* Of a live run. `context` in the result refers to `live`. */
struct names_live {
	struct symbolizer *symbols;
	struct object_registry *objects;
	struct js_names *scripts; /* NULL: none */
};
struct names names_of_live(struct names_live *live);

#endif
