/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/js_sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "symbol/source_path.h"
#include "symbol/wire.h"

/* Of all URLs, some of which are maps. */
#define URL_BYTES_MAX (32u << 20)
/* A map that the worker could not cope with so often is left alone. */
#define TRIES_MAX 2

struct script {
	uint32_t id; /* of the map, for the worker */
	uint32_t tgid;
	char *file;
	struct js_map_url *map;
	char *path; /* of the map; NULL: it is in the URL */
	uint8_t failures;
	bool given_up;
};

struct js_sources {
	struct symbolizer *symbols;
	struct script *scripts;
	uint32_t count, ids;
	size_t url_bytes;
	bool told;
};

struct js_sources *js_sources_new(struct symbolizer *symbols)
{
	struct js_sources *s = calloc(1, sizeof(*s));

	if (s)
		s->symbols = symbols;
	return s;
}

static void drop(struct script *script)
{
	free(script->file);
	free(script->path);
	js_map_url_release(script->map);
}

void js_sources_free(struct js_sources *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < s->count; i++)
		drop(&s->scripts[i]);
	free(s->scripts);
	free(s);
}

/* ---- Scripts ------------------------------------------------------------ */

static bool is_inline(const struct js_map_url *map)
{
	return !strncmp(map->text, "data:", 5);
}

static bool is_same(const struct script *known, uint32_t tgid, const char *file,
		    const struct js_map_url *map)
{
	return known->map == map ||
	       (known->tgid == tgid && known->map->units == map->units &&
		known->map->size == map->size && !strcmp(known->file, file) &&
		!memcmp(known->map->text, map->text, map->size));
}

static int fill(struct js_sources *s, struct script *new, uint32_t tgid,
		const char *file, struct js_map_url *map)
{
	struct text path = {0};
	int err = 0;

	if (s->url_bytes + map->size > URL_BYTES_MAX)
		return -ENOSPC;
	if (!is_inline(map))
		err = source_map_path(file, map->text, &path);
	*new = (struct script){
		.id = ++s->ids,
		.tgid = tgid,
		.file = strdup(file),
		.map = map,
		.path = path.data,
		.given_up = err,
	};
	if (!new->file || err == -ENOMEM) {
		free(new->file);
		text_free(&path);
		return -ENOMEM;
	}
	map->uses++;
	s->url_bytes += map->size;
	return 0;
}

uint32_t js_sources_put(struct js_sources *s, uint32_t tgid, const char *file,
			struct js_map_url *map)
{
	struct script *grown;

	for (uint32_t i = 0; i < s->count; i++)
		if (is_same(&s->scripts[i], tgid, file, map))
			return i + 1;
	if (s->count == JS_SOURCES_MAX)
		return 0;
	grown = reallocarray(s->scripts, s->count + 1, sizeof(*grown));
	if (!grown)
		return 0;
	s->scripts = grown;
	if (fill(s, &grown[s->count], tgid, file, map))
		return 0;
	return ++s->count;
}

bool js_sources_are_many(const struct js_sources *s)
{
	return s->count > JS_SOURCES_MAX / 4 * 3 ||
	       s->url_bytes > URL_BYTES_MAX / 4 * 3;
}

void js_sources_keep(struct js_sources *s, uint32_t *numbers)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct script *script = &s->scripts[i];

		if (numbers[i + 1]) {
			s->scripts[kept++] = *script;
			numbers[i + 1] = kept;
			continue;
		}
		s->url_bytes -= script->map->size;
		drop(script);
	}
	s->count = kept;
}

/* ---- Places ------------------------------------------------------------- */

struct finding {
	struct js_sources *sources;
	const struct script *script;
	const uint64_t *frames;
};

static void take(void *context, size_t number,
		 const struct symbol_source *source)
{
	struct finding *f = context;
	uint64_t frame = f->frames[number];
	const struct symbol *symbol =
		symbolizer_get(f->sources->symbols, frame);
	struct symbol_level level = symbol->levels[0];
	const char *base = f->script->path ? f->script->path : f->script->file;
	struct text file = {0};

	if (!source->file || level.generated_file)
		return;
	if (!source_path(base, source->file, &file) && file.data) {
		level.generated_file = level.file;
		level.generated_line = level.line;
		level.generated_column = level.column;
		level.file = file.data;
		level.line = source->line + 1;
		level.column = source->column + 1;
		symbolizer_learn(f->sources->symbols, frame, &level, 1,
				 symbol->module);
	}
	text_free(&file);
}

/* People wonder why they do not see their sources. That packages come without
 * the maps they name is common. */
static void give_up(struct js_sources *s, struct script *script, int err)
{
	enum diag_level level =
		s->told || err == -ENOENT ? DIAG_DEBUG : DIAG_WARN;

	script->given_up = true;
	s->told |= level == DIAG_WARN;
	diag(level, "source map of %s is not used: %s: %s", script->file,
	     script->path ? script->path : "inside the script",
	     err == -ENOENT ? "no such file"
	     : err == -EBADMSG
		     ? "not a source map, or not that of the script that runs"
		     : "it takes too long to read");
}

int js_sources_find(struct js_sources *s, uint32_t number,
		    const uint64_t *frames, size_t count, uint64_t deadline_ns)
{
	struct script *script = &s->scripts[number - 1];
	struct symbol_map map = {
		.id = script->id,
		.pid = (pid_t)script->tgid,
		.path = script->path,
		.script = script->file,
		.text = script->map->text,
		.size = script->map->size,
		.units = script->map->units,
	};
	struct finding finding = {s, script, frames};
	CLEANUP_FREE uint64_t *places = calloc(count, sizeof(*places));
	int err;

	if (script->given_up || !places)
		return 0;
	for (size_t i = 0; i < count; i++) {
		const struct symbol_level *level =
			symbolizer_get(s->symbols, frames[i])->levels;

		places[i] = wire_place(level->line ? level->line - 1 : 0,
				       level->column ? level->column - 1 : 0);
	}
	err = symbolizer_map(s->symbols, &map, places, count, deadline_ns, take,
			     &finding);
	if (!err)
		return 0;
	if ((err == -ETIME || err == -EIO) && ++script->failures < TRIES_MAX)
		return -ETIME;
	give_up(s, script, err);
	return 0;
}
