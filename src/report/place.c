/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/place.h"

#include <inttypes.h>
#include <string.h>

#include "report/names.h"

#define MODULE_COLUMNS 32

const char *place_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!strncmp(path, "node:", 5))
		return path;
	return slash && slash[1] ? slash + 1 : path;
}

void place_for_people(struct text *out, const struct symbol *symbol,
		      const struct symbol_level *level, const char *file,
		      size_t columns)
{
	name_for_people(out, file, columns);
	if (!level->line)
		return;
	text_printf(out, ":%s%" PRIu32, level->approximate ? "~" : "",
		    level->line);
	if (symbol->script && level->column && !level->approximate)
		text_printf(out, ":%" PRIu32, level->column);
}

void place_of_level(struct text *out, const struct symbol *symbol,
		    const struct symbol_level *level, size_t name_columns,
		    size_t file_columns)
{
	name_for_people(out, level->function, name_columns);
	if (!level->file)
		return;
	text_add(out, "  ");
	place_for_people(out, symbol, level, place_base_name(level->file),
			 file_columns);
}

void place_module(struct text *out, const struct symbol *symbol)
{
	if (!symbol->named || !symbol->module[0])
		return;
	text_add(out, "  (");
	name_for_people(out, symbol->module, MODULE_COLUMNS);
	text_add(out, ")");
}

void place_function(struct text *out, const struct symbol *symbol,
		    const struct symbol_level *level)
{
	text_add(out, level->function);
	if (!symbol->script || !level->file)
		return;
	text_printf(out, " %s", level->file);
	if (level->line)
		text_printf(out, ":%" PRIu32, level->line);
}
