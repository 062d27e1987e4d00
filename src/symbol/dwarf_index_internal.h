/* SPDX-License-Identifier: GPL-2.0-only */
/* What dwarf_index.c has gathered, for dwarf_names.c. */
#ifndef SYMBOL_DWARF_INDEX_INTERNAL_H
#define SYMBOL_DWARF_INDEX_INTERNAL_H

#include "symbol/dwarf_index.h"
#include "symbol/ranges.h"

/* Nesting of scopes; C++ reaches about ten. */
#define DEPTH_MAX 64

/* A named scope or function and the one around it, in order of offset. */
struct dwarf_scope {
	Dwarf_Off offset;
	uint32_t parent; /* index, NO_PARENT: the unit */
};

#define NO_PARENT UINT32_MAX

struct dwarf_unit {
	Dwarf_Die die;
	bool scanned;
	bool scanned_bodies; /* functions inside functions, too */
	struct range_list functions;
	struct dwarf_scope *scopes;
	size_t scope_count;
	size_t scope_capacity;
};

struct dwarf_index {
	Dwarf *dwarf;
	uint64_t text_start;
	uint64_t text_end;
	struct dwarf_unit *units; /* in order of offset */
	size_t unit_count;
	size_t unit_capacity;
	struct range_list ranges;
};

/* Reads its functions, with those inside of functions if `bodies`, unless that
 * was done. */
void dwarf_unit_scan(struct dwarf_index *x, struct dwarf_unit *unit,
		     bool bodies);

#endif
