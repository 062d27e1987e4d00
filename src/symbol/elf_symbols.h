/* SPDX-License-Identifier: GPL-2.0-only */
/* Function symbols of an ELF image, sorted for look-up by address. */
#ifndef SYMBOL_ELF_SYMBOLS_H
#define SYMBOL_ELF_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libelf.h>

struct elf_symbol {
	uint64_t address; /* first: starts_after (symbol/ranges.h) */
	uint64_t end;	  /* == address: size unknown */
	uint64_t limit;	  /* end of its section */
	uint64_t max_end; /* highest `end` up to here in the sorted list */
	const char *name; /* in the ELF image */
	uint32_t rank;	  /* of several at one address: lowest is shown */
};

struct elf_symbols {
	struct elf_symbol *list;
	size_t count;
	size_t capacity;
};

/* Adds the function symbols of each table of `section_type` (SHT_SYMTAB or
 * SHT_DYNSYM). Returns how many were added, or -ENOMEM. */
int elf_symbols_add(struct elf_symbols *s, Elf *elf, uint32_t section_type);
/* To be called once after the last add. */
void elf_symbols_sort(struct elf_symbols *s);
/* The symbol that holds `address`, or NULL. */
const struct elf_symbol *elf_symbols_find(const struct elf_symbols *s,
					  uint64_t address);
void elf_symbols_free(struct elf_symbols *s);

#endif
