/* SPDX-License-Identifier: GPL-2.0-only */
/* Places in a source as people write them. */
#ifndef REPORT_PLACE_H
#define REPORT_PLACE_H

#include <stddef.h>

#include "base/text.h"
#include "symbol/symbolizer.h"

/* The last part of a path; modules of Node itself ("node:internal/timers")
 * whole. */
const char *place_base_name(const char *path);

/* Of a level that has a file: "http.c:212"; in scripts with the column, as
 * lines may be long: "app.js:12:5"; a line that is one nearby: "app.js:~12".
 * `file`: how to call the file, made safe and shortened to `columns`. */
void place_for_people(struct text *out, const struct symbol *symbol,
		      const struct symbol_level *level, const char *file,
		      size_t columns);

/* "parse_header  http.c:212": the file without its folders. */
void place_of_level(struct text *out, const struct symbol *symbol,
		    const struct symbol_level *level, size_t name_columns,
		    size_t file_columns);
/* "  (libc.so.6)", of a symbol that was found. */
void place_module(struct text *out, const struct symbol *symbol);

/* The name of a function where it stands alone: functions of scripts with file
 * and line, because often they have no names. Not made safe. */
void place_function(struct text *out, const struct symbol *symbol,
		    const struct symbol_level *level);

#endif
