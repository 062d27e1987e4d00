/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/module.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "symbol/debug_data.h"
#include "symbol/dwarf_index.h"
#include "symbol/elf_symbols.h"
#include "symbol/go_names.h"
#include "symbol/image.h"
#include "symbol/symbolizer.h"

/* What is shown of one function name; expanded templates can be longer than
 * anybody reads. */
#define FUNCTION_TEXT_MAX 4096

struct module {
	struct image main;
	struct image debug; /* separate debug file */
	struct image dwz;
	uint8_t *mini_bytes; /* .gnu_debugdata, unpacked */
	Elf *mini;
	Dwarf *dwarf;
	Dwarf *dwz_dwarf;
	struct dwarf_index *index; /* NULL: no DWARF */
	struct elf_symbols symbols;
	struct go_names *go; /* NULL: no Go program */
	uint64_t text_start, text_end;
	char *texts[DWARF_LEVELS_MAX]; /* names of the last answer */
};

static void find_text(struct module *m)
{
	size_t count;

	if (elf_getphdrnum(m->main.elf, &count))
		return;
	m->text_start = UINT64_MAX;
	for (size_t i = 0; i < count && i < PN_XNUM; i++) {
		GElf_Phdr p;

		if (!gelf_getphdr(m->main.elf, (int)i, &p) ||
		    p.p_type != PT_LOAD || !(p.p_flags & PF_X))
			continue;
		if (p.p_vaddr < m->text_start)
			m->text_start = p.p_vaddr;
		if (p.p_vaddr + p.p_memsz > m->text_end)
			m->text_end = p.p_vaddr + p.p_memsz;
	}
}

/* ---- Separate debug files ----------------------------------------------- */

/* `from`: WANT_BUILD_ID or WANT_FETCHED. */
static bool debug_by_build_id(struct module *m, enum wire_want_kind from,
			      const struct module_files *files)
{
	const void *id;
	ssize_t size = dwelf_elf_gnu_build_id(m->main.elf, &id);

	if (size < 2 || size > WIRE_NAME_MAX)
		return false;
	int fd = files->open(files->context, from, id, (size_t)size);
	if (fd >= 0 && image_open(&m->debug, fd) &&
	    image_has_build_id(m->debug.elf, id, (size_t)size))
		return true;
	image_close(&m->debug);
	return false;
}

static bool debug_by_link(struct module *m, const struct module_files *files)
{
	GElf_Word crc;
	const char *name = dwelf_elf_gnu_debuglink(m->main.elf, &crc);
	size_t size = name ? strnlen(name, WIRE_NAME_MAX + 1) : 0;
	const void *id;

	if (!size || size > WIRE_NAME_MAX)
		return false;
	int fd = files->open(files->context, WANT_DEBUGLINK, name, size);
	if (fd >= 0 && image_open(&m->debug, fd)) {
		ssize_t n = dwelf_elf_gnu_build_id(m->main.elf, &id);

		/* The build-id proves as much as the CRC and spares reading
		 * a file of gigabytes. */
		if (n > 0 && image_has_build_id(m->debug.elf, id, (size_t)n))
			return true;
		if (image_has_crc(m->debug.elf, crc))
			return true;
	}
	image_close(&m->debug);
	return false;
}

/* Entries that dwz moved to a file shared by several debug files. */
static void add_dwz(struct module *m, const struct module_files *files)
{
	const char *path;
	const void *id;
	ssize_t size = dwelf_dwarf_gnu_debugaltlink(m->dwarf, &path, &id);
	int fd = -1;

	if (size < 2 || size > WIRE_NAME_MAX)
		return;
	size_t path_size = strnlen(path, WIRE_NAME_MAX + 1);
	if (path_size && path_size <= WIRE_NAME_MAX)
		fd = files->open(files->context, WANT_DWZ, path, path_size);
	if (fd < 0)
		fd = files->open(files->context, WANT_BUILD_ID, id,
				 (size_t)size);
	if (fd < 0)
		fd = files->open(files->context, WANT_FETCHED, id,
				 (size_t)size);
	if (fd < 0)
		return;
	if (image_open(&m->dwz, fd) &&
	    image_has_build_id(m->dwz.elf, id, (size_t)size))
		m->dwz_dwarf = dwarf_begin_elf(m->dwz.elf, DWARF_C_READ, NULL);
	if (m->dwz_dwarf)
		dwarf_setalt(m->dwarf, m->dwz_dwarf);
}

/* ---- Opening ------------------------------------------------------------ */

static void unpack_mini(struct module *m)
{
	Elf_Scn *scn = image_section(m->main.elf, ".gnu_debugdata");
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	size_t size;

	if (!data || !data->d_buf)
		return;
	m->mini_bytes = debug_data_unpack(data->d_buf, data->d_size, &size);
	if (m->mini_bytes)
		m->mini = elf_memory((char *)m->mini_bytes, size);
}

static void load_symbols(struct module *m)
{
	int n = elf_symbols_add(&m->symbols, m->main.elf, SHT_SYMTAB);

	if (n <= 0 && m->debug.elf)
		n = elf_symbols_add(&m->symbols, m->debug.elf, SHT_SYMTAB);
	if (n <= 0) {
		unpack_mini(m);
		if (m->mini)
			elf_symbols_add(&m->symbols, m->mini, SHT_SYMTAB);
		/* .gnu_debugdata leaves out what .dynsym has. */
		elf_symbols_add(&m->symbols, m->main.elf, SHT_DYNSYM);
	}
	elf_symbols_sort(&m->symbols);
}

static void load_dwarf(struct module *m, const struct module_files *files)
{
	Elf *elf = image_has_dwarf(m->main.elf) ? m->main.elf : m->debug.elf;

	if (!elf || !image_has_dwarf(elf))
		return;
	m->dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	if (!m->dwarf)
		return;
	add_dwz(m, files);
	m->index = dwarf_index_new(m->dwarf, m->text_start, m->text_end);
}

struct module *module_open(int fd, bool no_dwarf,
			   const struct module_files *files)
{
	struct module *m = calloc(1, sizeof(*m));

	if (!m) {
		close(fd);
		return NULL;
	}
	m->debug.fd = m->dwz.fd = -1;
	if (!image_open(&m->main, fd)) {
		module_close(m);
		return NULL;
	}
	find_text(m);
	if (!image_has_dwarf(m->main.elf) &&
	    !debug_by_build_id(m, WANT_BUILD_ID, files) &&
	    !debug_by_link(m, files))
		debug_by_build_id(m, WANT_FETCHED, files);
	load_symbols(m);
	m->go = go_names_open(m->main.elf);
	if (!no_dwarf)
		load_dwarf(m, files);
	return m;
}

static void forget_texts(struct module *m)
{
	for (size_t i = 0; i < DWARF_LEVELS_MAX; i++) {
		free(m->texts[i]);
		m->texts[i] = NULL;
	}
}

void module_close(struct module *m)
{
	if (!m)
		return;
	forget_texts(m);
	dwarf_index_free(m->index);
	go_names_free(m->go);
	if (m->dwarf)
		dwarf_end(m->dwarf);
	if (m->dwz_dwarf)
		dwarf_end(m->dwz_dwarf);
	elf_symbols_free(&m->symbols);
	if (m->mini)
		elf_end(m->mini);
	free(m->mini_bytes);
	image_close(&m->dwz);
	image_close(&m->debug);
	image_close(&m->main);
	free(m);
}

/* ---- Resolving ---------------------------------------------------------- */

static void set_function(struct wire_level *level, const char *text)
{
	level->function = text;
	level->function_size = (uint32_t)strnlen(text, FUNCTION_TEXT_MAX);
}

static void set_file(struct wire_level *level, const char *file)
{
	level->file = file;
	level->file_size = file ? (uint32_t)strnlen(file, WIRE_MESSAGE_MAX) : 0;
}

static uint32_t number(Dwarf_Die *die, unsigned attribute)
{
	Dwarf_Attribute a;
	Dwarf_Word value;

	if (!dwarf_attr(die, attribute, &a) || dwarf_formudata(&a, &value) ||
	    value > INT32_MAX)
		return 0;
	return (uint32_t)value;
}

/* Where the code at the address itself stands. */
static void set_line_of_address(Dwarf_Die *unit, uint64_t address,
				struct wire_level *level)
{
	Dwarf_Line *line = dwarf_getsrc_die(unit, address);
	int value;

	if (!line)
		return;
	set_file(level, dwarf_linesrc(line, NULL, NULL));
	if (!dwarf_lineno(line, &value) && value > 0)
		level->line = (uint32_t)value;
	if (!dwarf_linecol(line, &value) && value > 0)
		level->column = (uint32_t)value;
}

/* Where the function inlined as `call` was called. */
static void set_line_of_call(Dwarf_Die *unit, Dwarf_Die *call,
			     struct wire_level *level)
{
	Dwarf_Files *files;
	size_t count, file;

	level->line = number(call, DW_AT_call_line);
	level->column = number(call, DW_AT_call_column);
	file = number(call, DW_AT_call_file);
	if (dwarf_hasattr(call, DW_AT_call_file) &&
	    !dwarf_getsrcfiles(unit, &files, &count) && file < count)
		set_file(level, dwarf_filesrc(files, file, NULL, NULL));
}

/* glibc's name for its own calls of a public function. */
static const char *without_alias_prefix(const char *name)
{
	return strncmp(name, "__GI_", 5) || !name[5] ? name : name + 5;
}

static void set_dwarf_name(struct module *m, Dwarf_Die *die, size_t slot,
			   const struct elf_symbol *symbol,
			   struct wire_level *level)
{
	const char *linked = dwarf_linkage_name(die);

	if (linked)
		m->texts[slot] = symbol_demangle(without_alias_prefix(linked));
	else
		m->texts[slot] = dwarf_scoped_name(m->index, die);
	/* A function without a name in DWARF; only the outermost one can be
	 * what the symbol table names. */
	if (!m->texts[slot] && symbol && !level->inlined)
		m->texts[slot] = symbol_demangle(symbol->name);
	set_function(level, m->texts[slot] ? m->texts[slot] : "??");
}

/* Levels innermost first, from a chain that is outermost first: a level's
 * position is the address's own for the innermost, else that of the call of
 * the next inner one. */
static void unfold(struct module *m, struct dwarf_chain *chain,
		   uint64_t address, const struct elf_symbol *symbol,
		   struct wire_symbol *s)
{
	s->level_count = chain->count;
	for (uint32_t i = 0; i < chain->count; i++) {
		uint32_t depth = chain->count - 1 - i;
		struct wire_level *level = &s->levels[i];

		*level = (struct wire_level){.inlined = depth > 0};
		set_dwarf_name(m, &chain->levels[depth], i, symbol, level);
		if (i == 0)
			set_line_of_address(&chain->unit, address, level);
		else
			set_line_of_call(&chain->unit,
					 &chain->levels[depth + 1], level);
	}
}

static void name_by_symbol(struct module *m, const struct elf_symbol *symbol,
			   struct wire_symbol *s)
{
	m->texts[0] = symbol_demangle(without_alias_prefix(symbol->name));
	s->levels[0] = (struct wire_level){0};
	set_function(&s->levels[0], m->texts[0] ? m->texts[0] : "??");
	s->level_count = 1;
}

void module_resolve(struct module *m, uint64_t address, struct wire_symbol *s)
{
	const struct elf_symbol *symbol =
		elf_symbols_find(&m->symbols, address);
	struct dwarf_chain chain = {0};
	bool covered = m->index && dwarf_index_find(m->index, address, &chain);

	forget_texts(m);
	s->level_count = 0;
	s->function_offset = 0;
	if (!covered && m->go && go_names_resolve(m->go, address, s))
		return;
	if (covered && chain.count)
		unfold(m, &chain, address, symbol, s);
	else if (symbol)
		name_by_symbol(m, symbol, s);
	if (covered && !chain.count && s->level_count)
		set_line_of_address(&chain.unit, address, &s->levels[0]);
	if (symbol)
		s->function_offset = address - symbol->address;
	else if (chain.count)
		s->function_offset = address - chain.function_start;
	s->named = s->level_count > 0;
}
