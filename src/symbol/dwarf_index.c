/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/dwarf_index.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/dwarf_index_internal.h"

#define UNITS_MAX (1u << 20)
/* Overlapping candidates looked at for one address. */
#define CANDIDATES_MAX 16

/* ---- Units -------------------------------------------------------------- */

/* Adds the address ranges of an entry. Dropped functions keep ranges at 0 or
 * outside all code (the linker's tombstones). */
static bool add_ranges_of(struct dwarf_index *x, Dwarf_Die *die,
			  struct range_list *to, uint64_t owner)
{
	Dwarf_Addr base, start, end;
	ptrdiff_t at = 0;

	while ((at = dwarf_ranges(die, at, &base, &start, &end)) > 0) {
		if (start == 0 || start >= end || start < x->text_start ||
		    start >= x->text_end)
			continue;
		if (!ranges_add(to, start, end, owner))
			return false;
	}
	return true;
}

static bool add_unit(struct dwarf_index *x, const Dwarf_Die *die)
{
	struct dwarf_unit *unit;

	if (!ranges_reserve((void **)&x->units, &x->unit_capacity,
			    x->unit_count, sizeof(*x->units), UNITS_MAX))
		return false;
	unit = &x->units[x->unit_count];
	*unit = (struct dwarf_unit){.die = *die};
	return add_ranges_of(x, &unit->die, &x->ranges, x->unit_count++);
}

struct dwarf_index *dwarf_index_new(Dwarf *dwarf, uint64_t text_start,
				    uint64_t text_end)
{
	struct dwarf_index *x = calloc(1, sizeof(*x));
	Dwarf_CU *unit = NULL;
	Dwarf_Die die;
	uint8_t type;

	if (!x)
		return NULL;
	x->dwarf = dwarf;
	x->text_start = text_start;
	x->text_end = text_end;
	while (dwarf_get_units(dwarf, unit, &unit, NULL, &type, &die, NULL) ==
	       0)
		if (type != DW_UT_type && !add_unit(x, &die))
			break;
	ranges_sort(&x->ranges);
	if (!x->unit_count) {
		dwarf_index_free(x);
		return NULL;
	}
	return x;
}

void dwarf_index_free(struct dwarf_index *x)
{
	if (!x)
		return;
	for (size_t i = 0; i < x->unit_count; i++) {
		free(x->units[i].functions.list);
		free(x->units[i].scopes);
	}
	free(x->units);
	free(x->ranges.list);
	free(x);
}

/* ---- Functions of a unit ------------------------------------------------ */

static uint32_t add_scope(struct dwarf_unit *unit, Dwarf_Die *die,
			  uint32_t parent)
{
	if (!ranges_reserve((void **)&unit->scopes, &unit->scope_capacity,
			    unit->scope_count, sizeof(*unit->scopes),
			    RANGES_MAX))
		return parent;
	unit->scopes[unit->scope_count] = (struct dwarf_scope){
		.offset = dwarf_dieoffset(die),
		.parent = parent,
	};
	return (uint32_t)unit->scope_count++;
}

static void scan_children(struct dwarf_index *x, struct dwarf_unit *unit,
			  Dwarf_Die *parent, uint32_t scope, unsigned depth);

static void scan_entry(struct dwarf_index *x, struct dwarf_unit *unit,
		       Dwarf_Die *die, uint32_t scope, unsigned depth)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
		scope = add_scope(unit, die, scope);
		add_ranges_of(x, die, &unit->functions, dwarf_dieoffset(die));
		if (unit->scanned_bodies)
			scan_children(x, unit, die, scope, depth + 1);
		break;
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
	case DW_TAG_enumeration_type:
		scope = add_scope(unit, die, scope);
		scan_children(x, unit, die, scope, depth + 1);
		break;
	case DW_TAG_lexical_block:
		if (unit->scanned_bodies)
			scan_children(x, unit, die, scope, depth + 1);
		break;
	default:
		break;
	}
}

/* Recursion is bounded by DEPTH_MAX; offsets must grow, or a hostile
 * DW_AT_sibling would lead round in circles. */
static void scan_children(struct dwarf_index *x, struct dwarf_unit *unit,
			  Dwarf_Die *parent, uint32_t scope, unsigned depth)
{
	Dwarf_Die die;
	Dwarf_Off offset;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return;
	do {
		offset = dwarf_dieoffset(&die);
		scan_entry(x, unit, &die, scope, depth);
	} while (dwarf_siblingof(&die, &die) == 0 &&
		 dwarf_dieoffset(&die) > offset);
}

void dwarf_unit_scan(struct dwarf_index *x, struct dwarf_unit *unit,
		     bool bodies)
{
	if (unit->scanned && (unit->scanned_bodies || !bodies))
		return;
	unit->scanned = true;
	unit->scanned_bodies = bodies;
	unit->functions.count = 0;
	unit->scope_count = 0;
	scan_children(x, unit, &unit->die, NO_PARENT, 0);
	ranges_sort(&unit->functions);
}

/* ---- Look-up ------------------------------------------------------------ */

static bool find_function(struct dwarf_index *x, struct dwarf_unit *unit,
			  uint64_t address, struct dwarf_chain *chain)
{
	const struct range_list *f = &unit->functions;
	size_t i = ranges_after(f, address);

	/* Back from the last one that starts before: innermost first. */
	for (int tries = 0; i-- > 0 && tries < CANDIDATES_MAX; tries++) {
		if (address >= f->list[i].max_end)
			break;
		if (address >= f->list[i].end)
			continue;
		if (!dwarf_offdie(x->dwarf, f->list[i].owner,
				  &chain->levels[0]))
			continue;
		chain->count = 1;
		chain->function_start = f->list[i].start;
		return true;
	}
	return false;
}

static bool is_block(int tag)
{
	return tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
	       tag == DW_TAG_catch_block;
}

static bool has_addresses(Dwarf_Die *die)
{
	return dwarf_hasattr(die, DW_AT_low_pc) ||
	       dwarf_hasattr(die, DW_AT_ranges);
}

/* Appends the inlined call that holds `address` among the entries below
 * `parent`, looking through blocks. */
static bool find_inlined(struct dwarf_chain *chain, Dwarf_Die *parent,
			 uint64_t address, unsigned depth)
{
	Dwarf_Die die;
	Dwarf_Off offset;

	if (depth > DEPTH_MAX || dwarf_child(parent, &die) != 0)
		return false;
	do {
		int tag = dwarf_tag(&die);

		offset = dwarf_dieoffset(&die);
		if (tag == DW_TAG_inlined_subroutine &&
		    dwarf_haspc(&die, address) == 1) {
			chain->levels[chain->count++] = die;
			return true;
		}
		/* Blocks of only inlined code may have no range. */
		if (is_block(tag) &&
		    (!has_addresses(&die) || dwarf_haspc(&die, address) == 1) &&
		    find_inlined(chain, &die, address, depth + 1))
			return true;
	} while (dwarf_siblingof(&die, &die) == 0 &&
		 dwarf_dieoffset(&die) > offset);
	return false;
}

static bool find_in_unit(struct dwarf_index *x, struct dwarf_unit *unit,
			 uint64_t address, struct dwarf_chain *chain)
{
	chain->unit = unit->die;
	chain->count = 0;
	dwarf_unit_scan(x, unit, false);
	if (!find_function(x, unit, address, chain)) {
		dwarf_unit_scan(x, unit, true);
		if (!find_function(x, unit, address, chain))
			return false;
	}
	while (chain->count < DWARF_LEVELS_MAX &&
	       find_inlined(chain, &chain->levels[chain->count - 1], address,
			    0))
		;
	return true;
}

bool dwarf_index_find(struct dwarf_index *x, uint64_t address,
		      struct dwarf_chain *chain)
{
	size_t i = ranges_after(&x->ranges, address);
	struct dwarf_unit *covering = NULL;

	for (int tries = 0; i-- > 0 && tries < CANDIDATES_MAX; tries++) {
		const struct range *r = &x->ranges.list[i];

		if (address >= r->max_end)
			break;
		if (address >= r->end)
			continue;
		struct dwarf_unit *unit = &x->units[r->owner];
		if (find_in_unit(x, unit, address, chain))
			return true;
		if (!covering)
			covering = unit;
	}
	if (!covering)
		return false;
	/* Assembly: lines without a function. */
	chain->unit = covering->die;
	chain->count = 0;
	return true;
}
