/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/scripts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "v8/js_frame.h"
#include "v8/string.h"

/* Scripts are searched one by one: a program has hundreds. */
#define SCRIPTS_MAX 4096

struct entry {
	struct js_script script;
	struct js_source source;
	uint64_t used; /* time of the last use, in uses */
};

struct js_scripts {
	struct entry *entries;
	size_t count, capacity;
	size_t bytes, max_bytes;
	uint64_t uses;
};

void js_map_url_release(struct js_map_url *map)
{
	if (map && !--map->uses)
		free(map);
}

static void source_free(struct js_source *source)
{
	line_starts_free(&source->lines);
	js_map_url_release(source->map);
}

struct js_scripts *js_scripts_new(size_t max_bytes)
{
	struct js_scripts *s = calloc(1, sizeof(*s));

	if (s)
		s->max_bytes = max_bytes;
	return s;
}

void js_scripts_free(struct js_scripts *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		source_free(&s->entries[i].source);
	free(s->entries);
	free(s);
}

static size_t entry_bytes(const struct entry *e)
{
	const struct line_starts *lines = &e->source.lines;

	return sizeof(*e) + lines->capacity * sizeof(*lines->starts) +
	       (e->source.map ? e->source.map->size : 0);
}

static struct entry *find(struct js_scripts *s, const struct js_script *script)
{
	for (size_t i = 0; i < s->count; i++) {
		struct js_script *other = &s->entries[i].script;

		if (other->heap == script->heap && other->id == script->id &&
		    other->source_units == script->source_units)
			return &s->entries[i];
	}
	return NULL;
}

static void drop_oldest(struct js_scripts *s)
{
	size_t oldest = 0;

	for (size_t i = 1; i < s->count; i++)
		if (s->entries[i].used < s->entries[oldest].used)
			oldest = i;
	s->bytes -= entry_bytes(&s->entries[oldest]);
	source_free(&s->entries[oldest].source);
	s->entries[oldest] = s->entries[--s->count];
}

static int make_room(struct js_scripts *s, size_t bytes)
{
	struct entry *grown;
	size_t capacity;

	while (s->count &&
	       (s->bytes + bytes > s->max_bytes || s->count == SCRIPTS_MAX))
		drop_oldest(s);
	if (s->count < s->capacity)
		return 0;
	capacity = s->capacity ? 2 * s->capacity : 16;
	grown = reallocarray(s->entries, capacity, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	s->entries = grown;
	s->capacity = capacity;
	return 0;
}

/* A script without a map is one whose map cannot be had: no error but -ENOMEM.
 */
static int read_map(struct js_scripts *s, const struct v8_reader *r,
		    const struct js_script *script, uint64_t url,
		    struct js_map_url **out)
{
	struct text text = {0};
	uint32_t length;
	uint16_t type;
	int err = 0;

	if (!v8_is_pointer(url) || v8_type(r, url, &type, NULL) ||
	    !v8_is_string_type(v8_layout_of(r), type) ||
	    v8_string_length(r, url, &length) || length > s->max_bytes / 2)
		return 0;
	/* The source may have taken most of what a request may cost. */
	v8_memory_begin(r->memory);
	if (!v8_string_utf8(r, url, s->max_bytes / 2, &text) && text.size) {
		*out = malloc(sizeof(**out) + text.size + 1);
		err = *out ? 0 : -ENOMEM;
	}
	if (*out) {
		**out = (struct js_map_url){
			.uses = 1,
			.units = script->source_units,
			.size = text.size,
		};
		memcpy((*out)->text, text.data, text.size + 1);
	}
	text_free(&text);
	return err;
}

static int read_source(struct js_scripts *s, const struct v8_reader *r,
		       const struct js_script *script, uint64_t source,
		       uint64_t map_url, struct js_source *out)
{
	int err;

	out->lines.max = s->max_bytes / sizeof(*out->lines.starts) / 2;
	err = v8_string_each(r, source, script->source_units, line_starts_add,
			     &out->lines);
	if (!err && out->lines.units != script->source_units)
		err = -ESTALE;
	return err ? err : read_map(s, r, script, map_url, &out->map);
}

int js_scripts_get(struct js_scripts *s, const struct v8_reader *r,
		   const struct js_script *script, uint64_t source,
		   uint64_t map_url, const struct js_source **out)
{
	struct entry *known = find(s, script);
	struct entry new = {.script = *script};
	int err;

	if (!known) {
		err = read_source(s, r, script, source, map_url, &new.source);
		if (!err)
			err = make_room(s, entry_bytes(&new));
		if (err) {
			source_free(&new.source);
			return err;
		}
		s->bytes += entry_bytes(&new);
		known = &s->entries[s->count++];
		*known = new;
	}
	known->used = ++s->uses;
	*out = &known->source;
	return 0;
}
