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
	struct line_starts lines;
	uint64_t used; /* time of the last use, in uses */
};

struct js_scripts {
	struct entry *entries;
	size_t count, capacity;
	size_t bytes, max_bytes;
	uint64_t uses;
};

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
		line_starts_free(&s->entries[i].lines);
	free(s->entries);
	free(s);
}

static size_t entry_bytes(const struct entry *e)
{
	return sizeof(*e) + e->lines.capacity * sizeof(*e->lines.starts);
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
	line_starts_free(&s->entries[oldest].lines);
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

int js_scripts_get(struct js_scripts *s, const struct v8_reader *r,
		   const struct js_script *script, uint64_t source,
		   const struct line_starts **out)
{
	struct entry *known = find(s, script);
	struct entry new = {.script = *script};
	int err;

	if (!known) {
		new.lines.max = s->max_bytes / sizeof(*new.lines.starts) / 2;
		err = v8_string_each(r, source, script->source_units,
				     line_starts_add, &new.lines);
		if (!err && new.lines.units != script->source_units)
			err = -ESTALE;
		if (!err)
			err = make_room(s, entry_bytes(&new));
		if (err) {
			line_starts_free(&new.lines);
			return err;
		}
		s->bytes += entry_bytes(&new);
		known = &s->entries[s->count++];
		*known = new;
	}
	known->used = ++s->uses;
	*out = &known->lines;
	return 0;
}
