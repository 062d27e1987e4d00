/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A captured JavaScript frame to names: the function with file, line and
 * column, and, in optimised code, the functions inlined into it.
 */
#ifndef V8_JS_FRAME_H
#define V8_JS_FRAME_H

#include "leakbpf/abi_user.h"
#include "v8/layout.h"
#include "v8/memory.h"

#define JS_LEVELS_MAX 16

/* Where a script says that its source map is: what stands behind
 * sourceMappingURL, a URL, or the map itself in one (data:). */
struct js_map_url {
	uint32_t uses;
	uint32_t units; /* of the script's source, in UTF-16 */
	size_t size;	/* without the NUL */
	char text[];
};
void js_map_url_release(struct js_map_url *map); /* NULL: none */

struct js_level {
	char *function; /* malloc'ed, never NULL; "(anonymous)" */
	char *file;	/* malloc'ed; NULL: no script (builtins) */
	uint32_t line;	/* from 1; 0: unknown */
	uint32_t column;
	bool approximate; /* of the line: shown with a ~ */
	bool in_loop;	  /* ... which is that of a loop around the place */
	bool long_line;	  /* it tells little without the column */
	struct js_map_url *map; /* of the script; a use of it; NULL: none */
	/* Malloc'ed; what stands in front of the function's name: "Store." for
	 * a method of that class, "new " for a class; NULL: nothing, or this
	 * call does not tell. Then another of the same function may: the ids
	 * identify it, for good within an isolate. */
	char *prefix;
	int32_t script_id; /* 0: none */
	int32_t literal_id;
};

/* Why a frame has less than function, file and line. */
enum js_shortfall {
	JS_COMPLETE,
	JS_NO_POSITION, /* function known, line not */
	JS_OTHER_CODE,	/* the code that ran is not the function's any more */
	JS_MOVED,	/* the objects were not where they had been */
	JS_UNREADABLE,
	JS_SHORTFALLS
};

struct js_location {
	struct js_level levels[JS_LEVELS_MAX]; /* innermost first */
	uint32_t level_count;		       /* 0: nothing known */
	enum js_shortfall shortfall;
};

/* Remembers scripts' line starts and names, per process. */
struct js_scripts;
struct js_scripts *js_scripts_new(size_t max_bytes);
void js_scripts_free(struct js_scripts *s);

/*
 * Fills *out (free with js_location_free); 0, or -ENOMEM and nothing to free.
 * What cannot be read is a shortfall, not an error. `bias`: load bias of the
 * engine's object. Call promptly: objects move.
 */
int js_frame_resolve(const struct v8_engine *engine, uint64_t bias,
		     struct v8_memory *memory, struct js_scripts *scripts,
		     const struct js_frame *frame, struct js_location *out);
void js_location_free(struct js_location *location);

/*
 * What a live object is, for people: "Rec", "Array", "Map", "(string)",
 * "(closure)", "(code)"... `address` is untagged. 0, or -EINVAL when there is
 * no object.
 */
int js_object_type(const struct v8_engine *engine, struct v8_memory *memory,
		   uint64_t address, char *out, size_t size);

#endif
