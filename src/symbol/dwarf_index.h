/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Finding the function and its inlined calls at an address, with libdw.
 *
 * libdw looks up addresses through .debug_aranges, which clang and rustc do
 * not write and mixed links leave incomplete. So the ranges of all units are
 * collected once (cheap: one entry per unit is read), and a unit's functions
 * when an address first falls into it.
 */
#ifndef SYMBOL_DWARF_INDEX_H
#define SYMBOL_DWARF_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <elfutils/libdw.h>

struct dwarf_index;

/* Inlined calls of one address that are unfolded; deeper ones are part of the
 * last. */
#define DWARF_LEVELS_MAX 64

/* The function at an address (first) and what is inlined there, outermost
 * first. */
struct dwarf_chain {
	Dwarf_Die unit;
	uint64_t function_start;
	uint32_t count; /* 0: no function, only a line */
	Dwarf_Die levels[DWARF_LEVELS_MAX];
};

/* Code lies in [text_start, text_end); ranges outside stem from functions
 * that the linker dropped. NULL without memory or units. */
struct dwarf_index *dwarf_index_new(Dwarf *dwarf, uint64_t text_start,
				    uint64_t text_end);
void dwarf_index_free(struct dwarf_index *x);
/* False: no unit covers the address. */
bool dwarf_index_find(struct dwarf_index *x, uint64_t address,
		      struct dwarf_chain *chain);
/* The name as linked (mangled) or NULL. */
const char *dwarf_linkage_name(Dwarf_Die *die);
/* The name with its scopes, "space::Class::name"; malloc'ed, NULL if none. */
char *dwarf_scoped_name(struct dwarf_index *x, Dwarf_Die *die);

#endif
