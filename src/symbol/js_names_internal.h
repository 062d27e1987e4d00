/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of js_names share. */
#ifndef SYMBOL_JS_NAMES_INTERNAL_H
#define SYMBOL_JS_NAMES_INTERNAL_H

#include "symbol/js_functions.h"
#include "symbol/js_meanings.h"
#include "symbol/js_names.h"
#include "symbol/js_sources.h"

/* Ranges of all engines in all targets, a handful of each: 100 programs with
 * V8, which may be that many images of the same one. */
#define HIDDEN_MAX 512

/* Of canonical frames. */
#define APPROXIMATE  1u
#define INTERNAL     2u /* one of Node's own scripts, or no script at all */
#define PREFIXED     4u /* its name has the class in front */
#define SCRIPT_SHIFT 8	/* above: its number (js_sources.h); 0: none to ask */
#define FLAGS	     ((1u << SCRIPT_SHIFT) - 1)

struct hidden {
	uint32_t object;
	uint64_t start, end;
};

struct js_names {
	struct symbolizer *symbols;
	bool source_maps; /* are looked into */
	struct js_sources *sources;
	struct js_functions *functions;
	uint64_t seed;
	struct js_meanings known;
	struct hidden hidden[HIDDEN_MAX]; /* by object */
	size_t hidden_count;
	uint64_t lost, incomplete;
};

#endif
