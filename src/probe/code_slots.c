// SPDX-License-Identifier: GPL-2.0-only
/* GOT slots: see code_slots.h. */
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/code_slots.h"
#include "probe/insn.h"

#define SLOTS_MAX 65536

struct section {
	uint8_t *data;
	size_t size;
};

struct dynamic {
	struct section symbols;
	struct section strings;
};

static int section_read(const struct object *o, const char *name,
			struct section *out)
{
	uint64_t address;
	int err = object_section(o, name, &out->data, &out->size, &address);

	if (err) {
		out->data = NULL;
		out->size = 0;
	}
	return err == -ENOMEM ? err : 0;
}

static bool symbol_at(const struct dynamic *d, uint64_t index, Elf64_Sym *out,
		      const char **name)
{
	if (index >= d->symbols.size / sizeof(*out))
		return false;
	memcpy(out, d->symbols.data + index * sizeof(*out), sizeof(*out));
	if (out->st_name >= d->strings.size ||
	    !memchr(d->strings.data + out->st_name, 0,
		    d->strings.size - out->st_name))
		return false;
	*name = (const char *)d->strings.data + out->st_name;
	return true;
}

static bool slot_of(const struct dynamic *d, const Elf64_Rela *r,
		    struct code_slot *out)
{
	uint32_t type = ELF64_R_TYPE(r->r_info);
	struct alloc_match match;
	const char *name;
	Elf64_Sym symbol;

	if (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT &&
	    type != R_X86_64_64)
		return false;
	if (!symbol_at(d, ELF64_R_SYM(r->r_info), &symbol, &name))
		return false;
	memset(out, 0, sizeof(*out));
	out->slot = r->r_offset;
	if (symbol.st_shndx != SHN_UNDEF &&
	    ELF64_ST_TYPE(symbol.st_info) == STT_FUNC)
		out->address = symbol.st_value;
	if (alloc_name_find(name, &match))
		out->kind = match.entry->kind;
	return out->address || out->kind;
}

static int slots_append(struct code_slots *s, const struct code_slot *slot)
{
	if (!(s->count & (s->count - 1))) {
		size_t room = s->count ? s->count * 2 : 1;
		struct code_slot *list = realloc(s->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
	}
	s->list[s->count++] = *slot;
	return 0;
}

static int slots_from(const struct object *o, const char *section,
		      const struct dynamic *d, struct code_slots *out)
{
	struct section rela;
	int err = section_read(o, section, &rela);

	for (size_t i = 0; !err && i < rela.size / sizeof(Elf64_Rela) &&
			   out->count < SLOTS_MAX;
	     i++) {
		struct code_slot slot;
		Elf64_Rela r;

		memcpy(&r, rela.data + i * sizeof(r), sizeof(r));
		if (slot_of(d, &r, &slot))
			err = slots_append(out, &slot);
	}
	free(rela.data);
	return err;
}

static int by_slot(const void *a, const void *b)
{
	const struct code_slot *x = a, *y = b;

	return (x->slot > y->slot) - (x->slot < y->slot);
}

int code_slots_read(const struct object *o, struct code_slots *out)
{
	struct dynamic d = {0};
	int err;

	memset(out, 0, sizeof(*out));
	if (o->machine != EM_X86_64)
		return 0;
	err = section_read(o, ".dynsym", &d.symbols);
	if (!err)
		err = section_read(o, ".dynstr", &d.strings);
	if (!err && d.symbols.size && d.strings.size) {
		err = slots_from(o, ".rela.plt", &d, out);
		if (!err)
			err = slots_from(o, ".rela.dyn", &d, out);
	}
	free(d.symbols.data);
	free(d.strings.data);
	if (err)
		code_slots_free(out);
	else if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_slot);
	return err;
}

void code_slots_free(struct code_slots *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

const struct code_slot *code_slots_find(const struct code_slots *s,
					uint64_t slot)
{
	struct code_slot key = {.slot = slot};

	if (!s->count)
		return NULL;
	return bsearch(&key, s->list, s->count, sizeof(key), by_slot);
}

bool code_slots_stub(const struct code_slots *s, const struct object *o,
		     uint64_t address, const struct code_slot **slot)
{
	uint8_t code[16];
	uint64_t offset, place;
	size_t size = sizeof(code);

	*slot = NULL;
	if (!object_address_to_offset(o, address, &offset))
		return false;
	while (size >= 6 && object_read(o, offset, code, size))
		size -= 2;
	if (size < 6 || !insn_plt_slot(code, size, address, &place))
		return false;
	*slot = code_slots_find(s, place);
	return true;
}
