// SPDX-License-Identifier: GPL-2.0-only
#include "symbol/go_names.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "object/go_table.h"

struct go_names {
	struct go_table table;
};

static Elf_Scn *find_section(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names))
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *found = NULL;

		if (gelf_getshdr(scn, header) && header->sh_type != SHT_NOBITS)
			found = elf_strptr(elf, names, header->sh_name);
		if (found && !strcmp(found, name))
			return scn;
	}
	return NULL;
}

static Elf_Data *section_bytes(Elf *elf, const char *name, GElf_Shdr *header)
{
	Elf_Scn *scn = find_section(elf, name, header);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;

	return data && data->d_buf ? data : NULL;
}

/* As in src/probe/go_runtime.c. */
static void fix_text_start(Elf *elf, struct go_table *t, uint64_t address)
{
	GElf_Shdr header;
	Elf_Data *relocations = section_bytes(elf, ".rela.dyn", &header);

	if (t->text_start)
		return;
	if (relocations &&
	    go_table_text_start(relocations->d_buf, relocations->d_size,
				address + GO_TABLE_TEXT_START_OFFSET,
				&t->text_start))
		return;
	if (find_section(elf, ".text", &header))
		t->text_start = header.sh_addr;
}

struct go_names *go_names_open(Elf *elf)
{
	struct go_names *g;
	GElf_Shdr header;
	Elf_Data *data = section_bytes(elf, ".gopclntab", &header);

	if (!data)
		data = section_bytes(elf, ".data.rel.ro.gopclntab", &header);
	g = data ? calloc(1, sizeof(*g)) : NULL;
	if (!g)
		return NULL;
	if (go_table_open(&g->table, data->d_buf, data->d_size)) {
		free(g);
		return NULL;
	}
	fix_text_start(elf, &g->table, header.sh_addr);
	return g;
}

void go_names_free(struct go_names *g)
{
	free(g);
}

bool go_names_resolve(const struct go_names *g, uint64_t address,
		      struct wire_symbol *s)
{
	struct wire_level *level = &s->levels[0];
	struct go_function f;

	if (!go_table_find(&g->table, address, &f))
		return false;
	*level = (struct wire_level){
		.function = f.name,
		.function_size = (uint32_t)strlen(f.name),
	};
	go_table_position(&g->table, &f, address, &level->file, &level->line);
	if (level->file)
		level->file_size = (uint32_t)strlen(level->file);
	s->level_count = 1;
	s->function_offset = address - f.address;
	s->named = true;
	return true;
}
