/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Scripts that were made of other files, and say where their source map is:
 * TypeScript, bundles. Maps are read when a report first shows such a script.
 */
#ifndef SYMBOL_JS_SOURCES_H
#define SYMBOL_JS_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/symbolizer.h"
#include "v8/js_frame.h"

#define JS_SOURCES_MAX 4096

struct js_sources;

/* `symbols` must outlive it. NULL without memory. */
struct js_sources *js_sources_new(struct symbolizer *symbols);
void js_sources_free(struct js_sources *s);

/* The number of a script of process `tgid`, from 1; 0: there is no room for it.
 * Takes a use of `map`. */
uint32_t js_sources_put(struct js_sources *s, uint32_t tgid, const char *file,
			struct js_map_url *map);

/* Gives frames of one script, whose symbols stand for the place in it, the
 * place that this was made of. 0, or -ETIME: to be tried again. */
int js_sources_find(struct js_sources *s, uint32_t script,
		    const uint64_t *frames, size_t count, uint64_t deadline_ns);

/* Most of the room is used. */
bool js_sources_are_many(const struct js_sources *s);
/* Forgets those whose entry in `numbers` (of JS_SOURCES_MAX + 1) is 0; the
 * others' entries become their new numbers. */
void js_sources_keep(struct js_sources *s, uint32_t *numbers);

#endif
