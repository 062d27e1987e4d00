/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Source maps (ECMA-426): from a place in generated JavaScript to the one in
 * the source that it was made of. Read by the confined worker: a map is
 * whatever a target puts there.
 */
#ifndef SYMBOL_SOURCE_MAP_H
#define SYMBOL_SOURCE_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Larger maps are refused. Those of the largest programs have some 50 MB, most
 * of it the text of the sources. */
#define SOURCE_MAP_BYTES_MAX (64u << 20)

struct source_map;

struct source_place {
	struct text file;      /* as the map names it, sourceRoot in front */
	uint32_t line, column; /* from 0 */
};

/* Once, before a sandbox takes away what the JSON library looks at. */
void source_map_prepare(void);

/* The whole of a map file, or of a data: URL with one inside; `text` is used up
 * (changed). NULL: not a map, or no memory. */
struct source_map *source_map_parse(char *text, size_t size);
/* The same from an open file, which is left open. */
struct source_map *source_map_read(int fd);
/* Whether an open file is a script of `units` UTF-16 units: the one that runs,
 * most likely. Without its byte order mark, if it has one. */
bool source_map_fits(int fd, uint32_t units);
void source_map_free(struct source_map *m);

/* Where the place in the generated code comes from (both from 0). False: from
 * nowhere. `out->file` is cleared, filled, and the caller's to free. */
bool source_map_find(const struct source_map *m, uint32_t line, uint32_t column,
		     struct source_place *out);

#endif
