/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/elf_symbols.h"

#include <errno.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/ranges.h"

/* A browser has about a million. */
#define SYMBOLS_MAX (4u << 20)
/* Steps back from the nearest symbol to one that encloses the address. */
#define STEPS_MAX 64

static int grow(struct elf_symbols *s)
{
	size_t capacity = s->capacity ? 2 * s->capacity : 1024;
	struct elf_symbol *list;

	if (s->count < s->capacity)
		return 0;
	if (s->count >= SYMBOLS_MAX)
		return -ENOSPC;
	list = realloc(s->list, capacity * sizeof(*list));
	if (!list)
		return -ENOMEM;
	s->list = list;
	s->capacity = capacity;
	return 0;
}

static uint32_t leading_underscores(const char *name)
{
	uint32_t n = 0;

	if (!strncmp(name, "_Z", 2) || !strncmp(name, "_R", 2))
		return 0;
	while (n < 7 && name[n] == '_')
		n++;
	return n;
}

/* Among aliases, people know the public name: a sized function before a bare
 * label, global before weak before local, fewer underscores. */
static uint32_t rank(const GElf_Sym *sym, const char *name)
{
	unsigned bind = GELF_ST_BIND(sym->st_info);
	uint32_t binding = bind == STB_GLOBAL || bind == STB_GNU_UNIQUE ? 0
			   : bind == STB_WEAK				? 1
									: 2;

	return (uint32_t)(sym->st_size == 0) << 8 |
	       (uint32_t)(GELF_ST_TYPE(sym->st_info) == STT_NOTYPE) << 7 |
	       binding << 4 | leading_underscores(name);
}

/* Whether it is a function or label in code; then also where its section
 * ends. */
static bool is_code(Elf *elf, const GElf_Sym *sym, uint64_t *limit)
{
	unsigned type = GELF_ST_TYPE(sym->st_info);
	uint32_t section = sym->st_shndx;
	GElf_Shdr header;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (section == SHN_UNDEF || section >= SHN_LORESERVE)
		return false;
	Elf_Scn *scn = elf_getscn(elf, section);
	if (!scn || !gelf_getshdr(scn, &header) ||
	    !(header.sh_flags & SHF_EXECINSTR) ||
	    sym->st_value < header.sh_addr ||
	    sym->st_value - header.sh_addr >= header.sh_size)
		return false;
	*limit = header.sh_addr + header.sh_size;
	return *limit > sym->st_value;
}

/* Labels that only assemblers and disassemblers care for. */
static bool is_noise(const char *name)
{
	return !name[0] || name[0] == '$' || !strncmp(name, ".L", 2);
}

static int add_one(struct elf_symbols *s, Elf *elf, const GElf_Sym *sym,
		   size_t strings)
{
	const char *name;
	uint64_t limit;

	if (!is_code(elf, sym, &limit))
		return 0;
	name = elf_strptr(elf, strings, sym->st_name);
	if (!name || is_noise(name))
		return 0;
	int err = grow(s);
	if (err)
		return err;
	uint64_t room = limit - sym->st_value;
	s->list[s->count++] = (struct elf_symbol){
		.address = sym->st_value,
		.end = sym->st_value +
		       (sym->st_size < room ? sym->st_size : room),
		.limit = limit,
		.name = name,
		.rank = rank(sym, name),
	};
	return 1;
}

static int add_table(struct elf_symbols *s, Elf *elf, Elf_Scn *scn,
		     const GElf_Shdr *header)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	int added = 0;

	if (!data || !header->sh_entsize)
		return 0;
	size_t count = data->d_size / header->sh_entsize;
	for (size_t i = 1; i < count && i < SYMBOLS_MAX; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym))
			break;
		int n = add_one(s, elf, &sym, header->sh_link);
		if (n == -ENOSPC)
			break;
		if (n < 0)
			return n;
		added += n;
	}
	return added;
}

int elf_symbols_add(struct elf_symbols *s, Elf *elf, uint32_t section_type)
{
	Elf_Scn *scn = NULL;
	int added = 0;

	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr header;

		if (!gelf_getshdr(scn, &header) ||
		    header.sh_type != section_type)
			continue;
		int n = add_table(s, elf, scn, &header);
		if (n < 0)
			return n;
		added += n;
	}
	return added;
}

static int by_address(const void *a, const void *b)
{
	const struct elf_symbol *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return strcmp(x->name, y->name);
}

void elf_symbols_sort(struct elf_symbols *s)
{
	size_t kept = 0;
	uint64_t max_end = 0;

	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), by_address);
	for (size_t i = 0; i < s->count; i++) {
		if (kept && s->list[kept - 1].address == s->list[i].address)
			continue; /* an alias of lower rank */
		s->list[kept++] = s->list[i];
	}
	s->count = kept;
	for (size_t i = 0; i < kept; i++) {
		if (s->list[i].end > max_end)
			max_end = s->list[i].end;
		s->list[i].max_end = max_end;
	}
}

const struct elf_symbol *elf_symbols_find(const struct elf_symbols *s,
					  uint64_t address)
{
	size_t next =
		starts_after(s->list, s->count, sizeof(*s->list), address);

	for (size_t i = next, steps = 0; i > 0 && steps < STEPS_MAX; steps++) {
		const struct elf_symbol *symbol = &s->list[--i];

		if (address < symbol->end)
			return symbol;
		if (address >= symbol->max_end)
			break; /* nothing earlier reaches this far */
	}
	/* Hand-written assembly without sizes: up to the next symbol or the
	 * section's end. */
	const struct elf_symbol *nearest = next ? &s->list[next - 1] : NULL;
	if (nearest && nearest->end == nearest->address &&
	    address < nearest->limit)
		return nearest;
	return NULL;
}

void elf_symbols_free(struct elf_symbols *s)
{
	free(s->list);
	*s = (struct elf_symbols){0};
}
