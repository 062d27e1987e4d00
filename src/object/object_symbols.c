/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "object/elf_file.h"

/* Symbols read at a time: a table may be larger than we want in memory. */
#define SYMBOLS_BATCH 4096

#define NAME_BYTES_MAX 65536

/*
 * Names may share bytes, so a hostile table could make us read its strings
 * once per symbol: quadratic work. This is what may be read of them; real
 * tables need little more than the size of their strings.
 */
#define NAMES_WORK_PER_BYTE   4
#define NAMES_WORK_PER_SYMBOL 64

struct walk {
	const struct object *object;
	int (*each)(const struct object_symbol *s, void *context);
	void *context;
	char *names; /* NUL-terminated */
	size_t names_size;
	uint64_t names_work; /* bytes that may still be read */
	bool is_dynamic;
	bool stopped; /* by the callback */
};

/* Only what has an address in a segment: undefined, absolute (symbol versions),
 * thread-local, section and file symbols have none. */
static bool has_address(const Elf64_Sym *s)
{
	switch (ELF64_ST_TYPE(s->st_info)) {
	case STT_NOTYPE:
	case STT_OBJECT:
	case STT_FUNC:
	case STT_GNU_IFUNC:
		break;
	default:
		return false;
	}
	return s->st_value && s->st_shndx != SHN_UNDEF &&
	       s->st_shndx != SHN_ABS && s->st_shndx != SHN_COMMON;
}

/* The symbol's name; NULL: none, or none that makes sense.
 * "memcpy@@GLIBC_2.14" (.symtab of glibc and others) is cut to "memcpy" in
 * place: the table is our own copy. */
static const char *take_name(struct walk *w, const Elf64_Sym *s)
{
	char *name, *version;
	size_t size;

	if (s->st_name >= w->names_size)
		return NULL;
	name = w->names + s->st_name;
	size = strnlen(name, NAME_BYTES_MAX);
	w->names_work -= size < w->names_work ? size : w->names_work;
	if (!size || size == NAME_BYTES_MAX)
		return NULL;
	version = memchr(name + 1, '@', size - 1);
	if (version)
		*version = 0;
	return name;
}

static int visit(struct walk *w, const Elf64_Sym *s)
{
	uint8_t type = ELF64_ST_TYPE(s->st_info);
	struct object_symbol symbol = {
		.address = s->st_value,
		.size = s->st_size,
		.is_function = type == STT_FUNC || type == STT_GNU_IFUNC,
		.is_ifunc = type == STT_GNU_IFUNC,
		.is_dynamic = w->is_dynamic,
	};
	int stop;

	if (!has_address(s))
		return 0;
	symbol.name = take_name(w, s);
	if (!w->names_work)
		return -EFBIG;
	if (!symbol.name)
		return 0;
	stop = w->each(&symbol, w->context);
	w->stopped = stop != 0;
	return stop;
}

static int visit_batch(struct walk *w, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		Elf64_Sym symbol;
		int stop;

		memcpy(&symbol, bytes + i * sizeof(symbol), sizeof(symbol));
		stop = visit(w, &symbol);
		if (stop)
			return stop;
	}
	return 0;
}

static int visit_file_table(struct walk *w, const Elf64_Shdr *table)
{
	CLEANUP_FREE Elf64_Sym *batch = NULL;
	uint64_t count = table->sh_size / sizeof(Elf64_Sym);

	if (table->sh_offset > w->object->image_size ||
	    table->sh_size > w->object->image_size - table->sh_offset)
		return -EIO;
	if (table->sh_size > ELF_SECTION_BYTES_MAX)
		return -EFBIG;
	batch = malloc(SYMBOLS_BATCH * sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	for (uint64_t first = 0; first < count; first += SYMBOLS_BATCH) {
		uint64_t now = count - first;
		int err;

		if (now > SYMBOLS_BATCH)
			now = SYMBOLS_BATCH;
		err = object_read(w->object,
				  table->sh_offset + first * sizeof(*batch),
				  batch, now * sizeof(*batch));
		if (!err)
			err = visit_batch(w, (uint8_t *)batch, now);
		if (err)
			return err;
	}
	return 0;
}

static int visit_compressed_table(struct walk *w, const Elf64_Shdr *table)
{
	CLEANUP_FREE uint8_t *bytes = NULL;
	size_t size;
	int err = elf_section_bytes(w->object, table, &bytes, &size);

	return err ? err : visit_batch(w, bytes, size / sizeof(Elf64_Sym));
}

static int walk_table(struct walk *w, const struct elf_sections *sections,
		      const Elf64_Shdr *table)
{
	CLEANUP_FREE uint8_t *names = NULL;
	int err;

	if (table->sh_entsize != sizeof(Elf64_Sym) ||
	    table->sh_link >= sections->count)
		return 0;
	err = elf_section_bytes(w->object, &sections->list[table->sh_link],
				&names, &w->names_size);
	if (err)
		return err;
	w->names = (char *)names;
	w->names_work = NAMES_WORK_PER_BYTE * (uint64_t)w->names_size +
			NAMES_WORK_PER_SYMBOL *
				(table->sh_size / sizeof(Elf64_Sym) + 1);
	w->is_dynamic = table->sh_type == SHT_DYNSYM;
	return table->sh_flags & SHF_COMPRESSED
		       ? visit_compressed_table(w, table)
		       : visit_file_table(w, table);
}

/* The table of that type; there is at most one (gABI, "Sections"). */
static const Elf64_Shdr *find_table(const struct elf_sections *sections,
				    uint32_t type)
{
	for (size_t i = 1; i < sections->count; i++)
		if (sections->list[i].sh_type == type)
			return &sections->list[i];
	return NULL;
}

/* .dynsym first: it is what callers see. A damaged table must not hide the
 * other one; an error is returned when both have been tried. */
int object_each_symbol(const struct object *o,
		       int (*each)(const struct object_symbol *s,
				   void *context),
		       void *context)
{
	static const uint32_t types[] = {SHT_DYNSYM, SHT_SYMTAB};
	struct walk w = {.object = o, .each = each, .context = context};
	struct elf_sections sections;
	int result = elf_sections_read(o, &sections);

	for (size_t t = 0; t < 2 && !w.stopped; t++) {
		const Elf64_Shdr *table = find_table(&sections, types[t]);
		int err = table ? walk_table(&w, &sections, table) : 0;

		if (err)
			result = err;
	}
	elf_sections_free(&sections);
	return result;
}
