/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/source_map.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/percent.h"
#include "symbol/base64.h"
#include "symbol/ranges.h"
#include "symbol/source_segments.h"

/* An index map has maps inside, which have lists of texts. */
#define JSON_DEPTH_MAX 16
/* Of an index map: one per file that was put together. */
#define SECTIONS_MAX 65536

/* A map without an index is one section. */
struct section {
	uint64_t start; /* in the generated code: source_position */
	struct json_object *sources;
	const char *root;
	struct source_segments segments;
};

struct source_map {
	struct json_object *json; /* what the sections point to */
	struct section *sections; /* ascending */
	size_t count;
};

void source_map_prepare(void)
{
	json_object_put(json_tokener_parse("{\"version\":3}"));
}

static const char byte_order_mark[] = "\xef\xbb\xbf";

/* ---- The text ----------------------------------------------------------- */

static bool has_prefix(const char *text, size_t size, const char *prefix)
{
	return size >= strlen(prefix) && !memcmp(text, prefix, strlen(prefix));
}

/* data:application/json;charset=utf-8;base64,... -> what it stands for; 0: it
 * cannot be. */
static size_t unpack_url(char *text, size_t size)
{
	static const char base64[] = ";base64";
	const size_t suffix = sizeof(base64) - 1;
	const char *comma = memchr(text, ',', size);
	struct text plain = {0};
	size_t head, left;
	long decoded;

	if (!comma)
		return 0;
	head = (size_t)(comma - text);
	left = size - head - 1;
	if (head >= suffix && !memcmp(comma - suffix, base64, suffix)) {
		decoded = base64_decode(comma + 1, left, text);
		return decoded > 0 ? (size_t)decoded : 0;
	}
	percent_decode(&plain, comma + 1, left);
	size = plain.failed ? 0 : plain.size;
	if (size)
		memcpy(text, plain.data, size);
	text_free(&plain);
	return size;
}

/* The JSON in it, of which *size bytes are left. NULL: none. */
static const char *json_of(char *text, size_t *size)
{
	const char *newline;

	if (has_prefix(text, *size, "data:"))
		*size = unpack_url(text, *size);
	if (has_prefix(text, *size, byte_order_mark)) {
		text += sizeof(byte_order_mark) - 1;
		*size -= sizeof(byte_order_mark) - 1;
	}
	if (!has_prefix(text, *size, ")]}"))
		return *size ? text : NULL;
	/* Makes it no script; up to the end of the line. */
	newline = memchr(text, '\n', *size);
	if (!newline)
		return NULL;
	*size -= (size_t)(newline + 1 - text);
	return newline + 1;
}

static struct json_object *parse_json(const char *text, size_t size)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_DEPTH_MAX);
	struct json_object *json = NULL;

	if (!tokener || size > INT32_MAX)
		return NULL;
	json = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	return json;
}

/* ---- Sections ----------------------------------------------------------- */

static struct json_object *member(struct json_object *o, const char *name,
				  enum json_type type)
{
	struct json_object *found;

	return json_object_is_type(o, json_type_object) &&
			       json_object_object_get_ex(o, name, &found) &&
			       json_object_is_type(found, type)
		       ? found
		       : NULL;
}

/* From 0; what is missing or out of range is 0. */
static uint32_t number(struct json_object *o, const char *name)
{
	int64_t value = json_object_get_int64(member(o, name, json_type_int));

	return value > 0 && value < INT32_MAX ? (uint32_t)value : 0;
}

static int read_section(struct json_object *map, struct json_object *offset,
			struct section *out)
{
	struct json_object *mappings =
		member(map, "mappings", json_type_string);
	struct json_object *root = member(map, "sourceRoot", json_type_string);

	*out = (struct section){
		.start = source_position(number(offset, "line"),
					 number(offset, "column")),
		.sources = member(map, "sources", json_type_array),
		.root = root ? json_object_get_string(root) : "",
	};
	if (!mappings || !out->sources)
		return -EBADMSG;
	/* The text of all sources: most of the map, and not needed. */
	json_object_object_del(map, "sourcesContent");
	return source_segments_read(
		&out->segments, json_object_get_string(mappings),
		(size_t)json_object_get_string_len(mappings));
}

static int read_sections(struct source_map *m)
{
	struct json_object *list = member(m->json, "sections", json_type_array);
	size_t count = list ? json_object_array_length(list) : 1;
	int err = count <= SECTIONS_MAX ? 0 : -E2BIG;

	if (!err)
		m->sections = calloc(count + 1, sizeof(*m->sections));
	if (!err && !m->sections)
		err = -ENOMEM;
	for (size_t i = 0; i < count && !err; i++) {
		struct section *s = &m->sections[m->count];
		struct json_object *entry =
			list ? json_object_array_get_idx(list, i) : NULL;

		err = list ? read_section(
				     member(entry, "map", json_type_object),
				     member(entry, "offset", json_type_object),
				     s)
			   : read_section(m->json, NULL, s);
		if (err)
			break;
		if (i > 0 && s->start < s[-1].start)
			err = -EBADMSG;
		m->count++;
	}
	return err;
}

struct source_map *source_map_parse(char *text, size_t size)
{
	struct source_map *m = calloc(1, sizeof(*m));
	const char *json = json_of(text, &size);

	if (!m)
		return NULL;
	if (json)
		m->json = parse_json(json, size);
	if (m->json && !read_sections(m))
		return m;
	source_map_free(m);
	return NULL;
}

/* NULL: nothing in it, too much, or no memory. */
static char *read_file(int fd, size_t *size)
{
	struct stat st;
	char *text;

	*size = 0;
	if (fstat(fd, &st) || st.st_size <= 0 ||
	    st.st_size > (off_t)SOURCE_MAP_BYTES_MAX)
		return NULL;
	text = malloc((size_t)st.st_size);
	while (text && *size < (size_t)st.st_size) {
		ssize_t got = pread(fd, text + *size,
				    (size_t)st.st_size - *size, (off_t)*size);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		*size += (size_t)got;
	}
	return text;
}

struct source_map *source_map_read(int fd)
{
	size_t size;
	CLEANUP_FREE char *text = read_file(fd, &size);

	return text ? source_map_parse(text, size) : NULL;
}

bool source_map_fits(int fd, uint32_t units)
{
	size_t size, found = 0;
	CLEANUP_FREE char *text = read_file(fd, &size);
	bool marked = text && has_prefix(text, size, byte_order_mark);

	/* A character takes one unit, or two if it has four bytes. */
	for (size_t i = 0; text && i < size; i++) {
		unsigned char c = (unsigned char)text[i];

		found += (c & 0xc0) != 0x80;
		found += c >= 0xf0;
	}
	return text && (found == units || (marked && found == units + 1u));
}

void source_map_free(struct source_map *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < m->count; i++)
		source_segments_free(&m->sections[i].segments);
	free(m->sections);
	json_object_put(m->json);
	free(m);
}

/* ---- Looking up --------------------------------------------------------- */

static bool name_source(const struct section *s, uint32_t index,
			struct text *out)
{
	struct json_object *name =
		index < json_object_array_length(s->sources)
			? json_object_array_get_idx(s->sources, index)
			: NULL;
	size_t root = strlen(s->root);

	text_clear(out);
	if (!json_object_is_type(name, json_type_string))
		return false;
	text_add(out, s->root);
	if (root && s->root[root - 1] != '/')
		text_add(out, "/");
	text_append(out, json_object_get_string(name),
		    (size_t)json_object_get_string_len(name));
	return !out->failed && out->size > root;
}

bool source_map_find(const struct source_map *m, uint32_t line, uint32_t column,
		     struct source_place *out)
{
	size_t after = starts_after(m->sections, m->count, sizeof(*m->sections),
				    source_position(line, column));
	struct source_segment segment;
	const struct section *s;

	if (!after)
		return false;
	s = &m->sections[after - 1];
	line -= (uint32_t)(s->start >> 32);
	if (!line)
		column -= (uint32_t)s->start;
	if (!source_segments_find(&s->segments, line, column, &segment) ||
	    !segment.mapped)
		return false;
	out->line = segment.source_line;
	out->column = segment.source_column;
	return name_source(s, segment.source, &out->file);
}
