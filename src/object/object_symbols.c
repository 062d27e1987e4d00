// SPDX-License-Identifier: GPL-2.0-only
/* Walking .dynsym and .symtab. */
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <string.h>

#include "object/object_internal.h"

#define SYMBOL_NAME_BYTES_MAX 65536

static bool is_defined(const GElf_Sym *s)
{
	int type = GELF_ST_TYPE(s->st_info);

	return s->st_shndx != SHN_UNDEF && s->st_value &&
	       (type == STT_FUNC || type == STT_GNU_IFUNC ||
		type == STT_OBJECT || type == STT_NOTYPE);
}

static int walk_table(Elf *elf, Elf_Scn *section, const GElf_Shdr *header,
		      int (*each)(const struct object_symbol *s, void *context),
		      void *context)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count;
	int result = 0;

	if (!data || !header->sh_entsize)
		return 0;
	count = data->d_size / header->sh_entsize;
	for (size_t i = 0; i < count && i <= INT32_MAX && !result; i++) {
		struct object_symbol symbol;
		GElf_Sym s;

		if (!gelf_getsym(data, (int)i, &s) || !is_defined(&s))
			continue;
		symbol.name = elf_strptr(elf, header->sh_link, s.st_name);
		if (!symbol.name || !*symbol.name ||
		    strnlen(symbol.name, SYMBOL_NAME_BYTES_MAX) >=
			    SYMBOL_NAME_BYTES_MAX)
			continue;
		symbol.address = s.st_value;
		symbol.size = s.st_size;
		symbol.is_ifunc = GELF_ST_TYPE(s.st_info) == STT_GNU_IFUNC;
		symbol.is_function = symbol.is_ifunc ||
				     GELF_ST_TYPE(s.st_info) == STT_FUNC;
		symbol.is_dynamic = header->sh_type == SHT_DYNSYM;
		result = each(&symbol, context);
	}
	return result;
}

int object_each_symbol(const struct object *o,
		       int (*each)(const struct object_symbol *s,
				   void *context),
		       void *context)
{
	Elf *elf = object_elf(o);
	Elf_Scn *section = NULL;
	int result = 0;

	if (!elf)
		return -ENOEXEC;
	while (!result && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;

		if (gelf_getshdr(section, &header) &&
		    (header.sh_type == SHT_DYNSYM ||
		     header.sh_type == SHT_SYMTAB))
			result = walk_table(elf, section, &header, each,
					    context);
	}
	elf_end(elf);
	return result;
}
