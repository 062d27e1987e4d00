/* SPDX-License-Identifier: GPL-2.0-only */
/* A source map is a file of the target: any bytes must parse to places that
 * are found the same way each time, or to nothing; and any name of a source
 * must make a path. libFuzzer entry point. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/source_map.h"
#include "symbol/source_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void show(const struct source_place *place)
{
	struct text path = {0};

	/* Texts of the map may hold NUL bytes. */
	if (source_path("/srv/dist/app.js.map", place->file.data, &path))
		abort();
	if (path.data && path.data[0] == '/' && strstr(path.data, "/../"))
		abort();
	text_free(&path);
}

static void look(const struct source_map *m, uint32_t line, uint32_t column)
{
	struct source_place place = {0};

	if (source_map_find(m, line, column, &place)) {
		if (place.line > INT32_MAX || place.column > INT32_MAX)
			abort();
		show(&place);
	}
	text_free(&place.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct text path = {0};
	struct source_map *m;

	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	source_map_path("/srv/dist/app.js", text, &path);
	text_free(&path);
	m = source_map_parse(text, size);
	for (uint32_t i = 0; m && i < 64; i++) {
		look(m, i % 8, i * i);
		look(m, i * i * i, i);
	}
	source_map_free(m);
	free(text);
	return 0;
}
