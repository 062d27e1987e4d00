/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/names_writer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/leb128.h"
#include "capture/record.h"

int names_writer_init(struct names_writer *w)
{
	*w = (struct names_writer){
		.strings = intern_new(),
		.frames = intern_new(),
	};
	return w->strings && w->frames ? 0 : -ENOMEM;
}

void names_writer_free(struct names_writer *w)
{
	intern_free(w->strings);
	intern_free(w->frames);
	free(w->written);
	text_free(&w->new_strings);
	text_free(&w->new_objects);
	text_free(&w->new_symbols);
	text_free(&w->new_generated);
}

void names_writer_forget_objects(struct names_writer *w, const bool *objects)
{
	for (uint32_t id = 0; id < OBJECTS_MAX; id++)
		w->objects[id] &= !objects[id];
}

void names_writer_replace(struct names_writer *w, struct names_writer *by)
{
	/* What was forgotten may still have a name in the file. */
	for (uint32_t id = 0; id < OBJECTS_MAX; id++)
		by->objects[id] &= w->objects[id];
	names_writer_free(w);
	*w = *by;
	*by = (struct names_writer){0};
}

int names_writer_flush(struct names_writer *w, FILE *out)
{
	const struct {
		enum capture_record type;
		struct text *payload;
	} records[] = {
		{CAPTURE_STRINGS, &w->new_strings},
		{CAPTURE_OBJECT, &w->new_objects},
		{CAPTURE_SYMBOLS, &w->new_symbols},
		{CAPTURE_GENERATED, &w->new_generated},
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(records) / sizeof(*records) && !err; i++)
		err = record_write(out, records[i].type, records[i].payload);
	return err;
}

/* FNV-1a */
#define HASH_START 0xcbf29ce484222325u

static uint64_t hash_number(uint64_t hash, uint64_t number)
{
	hash = (hash ^ number) * 0x100000001b3u;
	return hash ^ hash >> 29;
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3u;
	return hash_number(hash, text != NULL);
}

/* Number + 1 of a text; 0: there is none. */
static uint64_t string_of(struct names_writer *w, const char *string)
{
	uint32_t before = intern_count(w->strings), number;
	size_t size;

	if (!string)
		return 0;
	size = strlen(string);
	if (intern_put(w->strings, string, size, &number)) {
		w->new_strings.failed = true;
		return 0;
	}
	if (number == before) {
		leb128_put(&w->new_strings, size);
		text_append(&w->new_strings, string, size);
	}
	return number + 1ull;
}

static void put_object(struct names_writer *w, const struct names *names,
		       uint32_t id)
{
	struct text *t = &w->new_objects;
	struct names_object o;

	if (id == OBJECT_NONE || id >= OBJECTS_MAX || w->objects[id] ||
	    !names->object(names->context, id, &o))
		return;
	w->objects[id] = true;
	leb128_put(t, id);
	leb128_put(t, string_of(w, o.path));
	leb128_put(t, o.build_id_size);
	text_append(t, (const char *)o.build_id, o.build_id_size);
	leb128_put(t, o.text_start);
	leb128_put(t, o.text_end);
	leb128_put(t, o.text_offset);
}

static void put_generated(struct names_writer *w, uint64_t frame,
			  uint32_t number, const struct symbol_level *l)
{
	struct text *t = &w->new_generated;

	leb128_put(t, frame);
	leb128_put(t, number);
	leb128_put(t, string_of(w, l->generated_file));
	leb128_put(t, l->generated_line);
	leb128_put(t, l->generated_column);
}

/* Of what is written of a symbol: symbolizers forget and learn again. Never 0.
 */
static uint64_t hash_of(const struct symbol *s)
{
	uint64_t hash = hash_text(HASH_START, s->module);

	hash = hash_number(hash, s->named | s->script << 1);
	hash = hash_number(hash, s->function_offset);
	for (uint32_t i = 0; i < s->level_count; i++) {
		const struct symbol_level *l = &s->levels[i];

		hash = hash_text(hash, l->function);
		hash = hash_text(hash, l->file);
		hash = hash_number(hash, (uint64_t)l->line << 32 | l->column);
		hash = hash_number(hash, l->inlined | l->approximate << 1);
		hash = hash_text(hash, l->generated_file);
		hash = hash_number(hash, (uint64_t)l->generated_line << 32 |
						 l->generated_column);
	}
	return hash | 1;
}

static void put_symbol(struct names_writer *w, uint64_t frame,
		       const struct symbol *s)
{
	struct text *t = &w->new_symbols;

	leb128_put(t, frame);
	leb128_put(t, s->named | s->script << 1);
	leb128_put(t, s->function_offset);
	leb128_put(t, string_of(w, s->module));
	leb128_put(t, s->level_count);
	for (uint32_t i = 0; i < s->level_count; i++) {
		const struct symbol_level *l = &s->levels[i];

		leb128_put(t, string_of(w, l->function));
		leb128_put(t, string_of(w, l->file));
		leb128_put(t, l->line);
		leb128_put(t, l->column);
		leb128_put(t, l->inlined | l->approximate << 1);
		if (l->generated_file)
			put_generated(w, frame, i, l);
	}
}

/* Room for what was last written of each frame. */
static bool reserve(struct names_writer *w, uint32_t number)
{
	uint32_t capacity =
		w->written_capacity ? 2 * w->written_capacity : 1024;
	uint64_t *written;

	if (number < w->written_capacity)
		return true;
	written = realloc(w->written, capacity * sizeof(*written));
	if (!written)
		return false;
	memset(written + w->written_capacity, 0,
	       (capacity - w->written_capacity) * sizeof(*written));
	w->written = written;
	w->written_capacity = capacity;
	return true;
}

bool names_writer_has(struct names_writer *w, uint64_t frame)
{
	uint32_t number;

	return !intern_put(w->frames, &frame, sizeof(frame), &number) &&
	       number < w->written_capacity && w->written[number];
}

bool names_writer_add(struct names_writer *w, const struct names *names,
		      const uint64_t *frames, uint32_t count)
{
	bool all = true;

	for (uint32_t i = 0; i < count; i++) {
		const struct symbol *s = names->get(names->context, frames[i]);
		uint64_t hash = hash_of(s);
		uint32_t number;

		all &= s->named;
		if (intern_put(w->frames, &frames[i], sizeof(frames[i]),
			       &number) ||
		    !reserve(w, number)) {
			w->new_symbols.failed = true;
			return all;
		}
		put_object(w, names,
			   (uint32_t)(frames[i] >> FRAME_OBJECT_SHIFT));
		if (w->written[number] == hash)
			continue;
		w->written[number] = hash;
		put_symbol(w, frames[i], s);
	}
	return all;
}
