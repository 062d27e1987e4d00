/* SPDX-License-Identifier: GPL-2.0-only */
#include "capture/names_reader.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/record.h"

/* More levels than the symbolizer unfolds (symbol/dwarf_index.h). */
#define LEVELS_MAX 256

int names_reader_init(struct names_reader *r)
{
	*r = (struct names_reader){
		.frames = intern_new(),
		.objects = calloc(OBJECTS_MAX, sizeof(*r->objects)),
	};
	return r->frames && r->objects ? 0 : -ENOMEM;
}

void names_reader_free(struct names_reader *r)
{
	for (uint32_t i = 0; i < r->string_count; i++)
		free(r->strings[i]);
	for (uint32_t i = 0; i < r->symbol_capacity; i++)
		free(r->symbols[i]);
	for (uint32_t i = 0; r->objects && i < OBJECTS_MAX; i++)
		free((void *)r->objects[i].build_id);
	free(r->strings);
	free(r->symbols);
	free(r->objects);
	intern_free(r->frames);
}

/* ---- Strings ----------------------------------------------------------------
 */

static int add_string(struct names_reader *r, const uint8_t *bytes, size_t size)
{
	char *string;

	if (r->string_count == r->string_capacity) {
		uint32_t capacity =
			r->string_capacity ? 2 * r->string_capacity : 1024;
		char **strings =
			realloc(r->strings, capacity * sizeof(*strings));

		if (!strings)
			return -ENOMEM;
		r->strings = strings;
		r->string_capacity = capacity;
	}
	string = malloc(size + 1);
	if (!string)
		return -ENOMEM;
	if (size)
		memcpy(string, bytes, size);
	string[size] = '\0';
	r->strings[r->string_count++] = string;
	return 0;
}

static int take_strings(struct names_reader *r, struct cursor *in)
{
	while (cursor_left(in)) {
		uint64_t size = cursor_uleb(in);
		const uint8_t *bytes;
		int err;

		if (in->failed || size > cursor_left(in) ||
		    r->string_count >= INT32_MAX)
			return -EINVAL;
		bytes = cursor_bytes(in, size);
		err = add_string(r, bytes, size);
		if (err)
			return err;
	}
	return 0;
}

/* Number + 1, or 0 for none. False: there is no such string. */
static bool take_string(const struct names_reader *r, struct cursor *in,
			const char **out)
{
	uint64_t number = cursor_uleb(in);

	*out = number && number <= r->string_count ? r->strings[number - 1]
						   : NULL;
	return !in->failed && (!number || *out);
}

/* ---- Objects ----------------------------------------------------------------
 */

static int take_objects(struct names_reader *r, struct cursor *in)
{
	while (cursor_left(in)) {
		struct names_object o = {0};
		uint64_t id = cursor_uleb(in), size;
		const uint8_t *build_id;

		if (!take_string(r, in, &o.path) || !o.path ||
		    id >= OBJECTS_MAX)
			return -EINVAL;
		size = cursor_uleb(in);
		if (size > BUILD_ID_BYTES_MAX || size > cursor_left(in))
			return -EINVAL;
		build_id = cursor_bytes(in, size);
		o.text_start = cursor_uleb(in);
		o.text_end = cursor_uleb(in);
		o.text_offset = cursor_uleb(in);
		if (in->failed)
			return -EINVAL;
		if (size) {
			uint8_t *copy = malloc(size);

			if (!copy)
				return -ENOMEM;
			o.build_id = memcpy(copy, build_id, size);
			o.build_id_size = (uint32_t)size;
		}
		free((void *)r->objects[id].build_id);
		r->objects[id] = o;
	}
	return 0;
}

/* ---- Symbols ----------------------------------------------------------------
 */

static struct symbol *symbol_new(uint32_t level_count,
				 struct symbol_level **levels)
{
	struct symbol *s =
		calloc(1, sizeof(*s) + level_count * sizeof(**levels));

	if (s) {
		*levels = (struct symbol_level *)(s + 1);
		s->levels = *levels;
		s->level_count = level_count;
		s->module = "";
	}
	return s;
}

/* Takes the symbol; one that the frame had is replaced. */
static int put(struct names_reader *r, uint64_t frame, struct symbol *s)
{
	uint32_t number, capacity;
	struct symbol **symbols;

	if (intern_put(r->frames, &frame, sizeof(frame), &number))
		goto failed;
	if (number >= r->symbol_capacity) {
		capacity = r->symbol_capacity ? 2 * r->symbol_capacity : 1024;
		symbols = realloc(r->symbols, capacity * sizeof(*symbols));
		if (!symbols)
			goto failed;
		memset(symbols + r->symbol_capacity, 0,
		       (capacity - r->symbol_capacity) * sizeof(*symbols));
		r->symbols = symbols;
		r->symbol_capacity = capacity;
	}
	free(r->symbols[number]);
	r->symbols[number] = s;
	return 0;
failed:
	free(s);
	return -ENOMEM;
}

static bool take_levels(const struct names_reader *r, struct cursor *in,
			struct symbol_level *levels, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		struct symbol_level *l = &levels[i];
		uint64_t flags;

		if (!take_string(r, in, &l->function) ||
		    !take_string(r, in, &l->file))
			return false;
		if (!l->function || !*l->function)
			l->function = "?";
		l->line = (uint32_t)cursor_uleb(in);
		l->column = (uint32_t)cursor_uleb(in);
		flags = cursor_uleb(in);
		l->inlined = flags & 1;
		l->approximate = flags >> 1 & 1;
	}
	return !in->failed;
}

static int take_symbol(struct names_reader *r, struct cursor *in)
{
	uint64_t frame = cursor_uleb(in);
	uint64_t flags = cursor_uleb(in);
	uint64_t offset = cursor_uleb(in), count;
	struct symbol_level *levels;
	const char *module;
	struct symbol *s;

	if (!take_string(r, in, &module))
		return -EINVAL;
	count = cursor_uleb(in);
	if (in->failed || !count || count > LEVELS_MAX)
		return -EINVAL;
	s = symbol_new((uint32_t)count, &levels);
	if (!s)
		return -ENOMEM;
	s->named = flags & 1;
	s->script = flags >> 1 & 1;
	s->function_offset = offset;
	s->module = module ? module : "";
	if (!take_levels(r, in, levels, count)) {
		free(s);
		return -EINVAL;
	}
	return put(r, frame, s);
}

static int take_symbols(struct names_reader *r, struct cursor *in)
{
	int err = 0;

	while (!err && cursor_left(in))
		err = take_symbol(r, in);
	return err;
}

static struct symbol *find(struct names_reader *r, uint64_t frame)
{
	uint32_t number;

	if (intern_put(r->frames, &frame, sizeof(frame), &number) ||
	    number >= r->symbol_capacity)
		return NULL;
	return r->symbols[number];
}

/* NULL: there is no such level. */
static struct symbol_level *level_of(struct names_reader *r, uint64_t frame,
				     uint64_t level)
{
	struct symbol *s = find(r, frame);

	return s && level < s->level_count
		       ? (struct symbol_level *)(s + 1) + level
		       : NULL;
}

static int take_generated(struct names_reader *r, struct cursor *in)
{
	while (cursor_left(in)) {
		uint64_t frame = cursor_uleb(in);
		struct symbol_level *l = level_of(r, frame, cursor_uleb(in));
		const char *file;

		if (!take_string(r, in, &file) || !l)
			return -EINVAL;
		l->generated_file = file;
		l->generated_line = (uint32_t)cursor_uleb(in);
		l->generated_column = (uint32_t)cursor_uleb(in);
		if (in->failed)
			return -EINVAL;
	}
	return 0;
}

/* ---- As a source of names
 * ---------------------------------------------------- */

static bool object_of(void *context, uint32_t id, struct names_object *out)
{
	const struct names_reader *r = context;

	if (id >= OBJECTS_MAX || !r->objects[id].path)
		return false;
	*out = r->objects[id];
	return true;
}

/* "module+0x1234 [0a1b2c3d]", as the symbolizer has it. */
static const struct symbol *add_fallback(struct names_reader *r, uint64_t frame)
{
	struct symbol_level *level;
	struct symbol *s = symbol_new(1, &level);
	unsigned long long address = frame & FRAME_ADDRESS_MASK;
	struct names_object o;
	const char *slash;
	char text[512];

	if (!s)
		return NULL;
	if (object_of(r, (uint32_t)(frame >> FRAME_OBJECT_SHIFT), &o)) {
		slash = strrchr(o.path, '/');
		s->module = slash && slash[1] ? slash + 1 : o.path;
		snprintf(text, sizeof(text), "%.400s+0x%llx", s->module,
			 address);
	} else {
		snprintf(text, sizeof(text), "0x%llx", address);
	}
	if (add_string(r, (const uint8_t *)text, strlen(text))) {
		free(s);
		return NULL;
	}
	level->function = r->strings[r->string_count - 1];
	return put(r, frame, s) ? NULL : s;
}

bool names_reader_has(struct names_reader *r, uint64_t frame)
{
	return find(r, frame);
}

static const struct symbol *get(void *context, uint64_t frame)
{
	static const struct symbol_level level = {
		.function = "(no memory left for symbols)",
	};
	static const struct symbol full = {
		.levels = &level,
		.level_count = 1,
		.module = "",
	};
	struct names_reader *r = context;
	const struct symbol *s = find(r, frame);

	if (!s)
		s = add_fallback(r, frame);
	return s ? s : &full;
}

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	return 0; /* all is there */
}

static uint32_t given_up(void *context)
{
	return ((const struct names_reader *)context)->given_up;
}

typedef int (*take_fn)(struct names_reader *r, struct cursor *in);

static take_fn take_of(uint32_t type)
{
	switch (type) {
	case CAPTURE_OBJECT:
		return take_objects;
	case CAPTURE_STRINGS:
		return take_strings;
	case CAPTURE_SYMBOLS:
		return take_symbols;
	case CAPTURE_GENERATED:
		return take_generated;
	default:
		return NULL;
	}
}

bool names_are_in(uint32_t type)
{
	return take_of(type);
}

int names_take(struct names_reader *r, uint32_t type, struct cursor *in)
{
	take_fn take = take_of(type);

	return take ? take(r, in) : 0;
}

struct names names_of_reader(struct names_reader *r)
{
	return (struct names){
		.resolve = resolve,
		.get = get,
		.object = object_of,
		.objects_given_up = given_up,
		.context = r,
	};
}
