/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/script.h"

#include <errno.h>
#include <string.h>

#include "base/percent.h"
#include "v8/js_frame.h"
#include "v8/scripts.h"
#include "v8/string.h"

/* In units. Nobody writes longer lines, but programs do. */
#define LINE_LONG 250

/* Appends the string at a field of the script; -ENOENT: none there. */
static int string_field(const struct v8_reader *r, uint64_t script,
			uint32_t offset, struct text *out)
{
	uint64_t word;
	uint16_t type;
	size_t before = out->size;
	int err = v8_field(r, script, offset, &word);

	if (!err && !v8_is_pointer(word))
		err = -ENOENT;
	if (!err)
		err = v8_type(r, word, &type, NULL);
	if (!err && !v8_is_string_type(v8_layout_of(r), type))
		err = -ENOENT;
	if (!err)
		err = v8_string_utf8(r, word, V8_NAME_BYTES, out);
	return err ? err : out->size == before ? -ENOENT : 0;
}

/* file:// URL to path; ES modules are named by URL, CommonJS by path. */
static void append_file(struct text *out, const char *name)
{
	static const char scheme[] = "file://";

	if (strncmp(name, scheme, sizeof(scheme) - 1) != 0) {
		text_add(out, name);
		return;
	}
	name += sizeof(scheme) - 1;
	percent_decode(out, name, strlen(name));
}

int v8_script_name(const struct v8_reader *r, uint64_t script, struct text *out)
{
	const struct v8_layout *l = v8_layout_of(r);
	struct text name = {0};
	int err = string_field(r, script, l->script_name, &name);

	if (err == -ENOENT)
		err = string_field(r, script, l->script_source_url, &name);
	if (!err)
		append_file(out, name.data);
	else if (err == -ENOENT)
		text_add(out, "[eval]");
	text_free(&name);
	if (err && err != -ENOENT)
		return err;
	return out->failed ? -ENOMEM : 0;
}

int v8_script_place(const struct v8_reader *r, struct js_scripts *scripts,
		    uint64_t heap, uint64_t script, uint32_t offset,
		    struct js_level *level)
{
	const struct v8_layout *l = v8_layout_of(r);
	struct js_script key = {.heap = heap};
	const struct js_source *known;
	int32_t first_line = 0, first_column = 0;
	uint64_t source, map_url = 0;
	int err = v8_field_smi(r, script, l->script_id, &key.id);

	if (!err)
		err = v8_field(r, script, l->script_source, &source);
	if (!err && v8_field(r, script, l->script_source_map_url, &map_url))
		map_url = 0;
	if (!err)
		err = v8_field_smi(r, script, l->script_line_offset,
				   &first_line);
	if (!err)
		err = v8_field_smi(r, script, l->script_column_offset,
				   &first_column);
	if (!err)
		err = v8_string_length(r, source, &key.source_units);
	if (!err && offset > key.source_units)
		err = -ENOENT;
	if (!err)
		err = js_scripts_get(scripts, r, &key, source, map_url, &known);
	if (err)
		return err;
	level->long_line = line_starts_find(&known->lines, offset, &level->line,
					    &level->column) > LINE_LONG;
	level->map = known->map;
	if (level->map)
		level->map->uses++;
	if (level->line > 0)
		first_column = 0;
	level->line += 1 + (first_line > 0 ? (uint32_t)first_line : 0);
	level->column += 1 + (first_column > 0 ? (uint32_t)first_column : 0);
	return 0;
}
