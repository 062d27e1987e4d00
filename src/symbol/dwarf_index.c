/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/dwarf_index.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "symbol/ranges.h"

#define UNITS_MAX (1u << 20)
/* Nesting of scopes; C++ reaches about ten. */
#define DEPTH_MAX 64
/* Overlapping candidates looked at for one address. */
#define CANDIDATES_MAX 16
#define REFERENCES_MAX 16

/* A named scope or function and the one around it, in order of offset. */
struct scope {
	Dwarf_Off offset;
	uint32_t parent; /* index, NO_PARENT: the unit */
};

#define NO_PARENT UINT32_MAX

struct unit {
	Dwarf_Die die;
	bool scanned;
	bool scanned_bodies; /* functions inside functions, too */
	struct range_list functions;
	struct scope *scopes;
	size_t scope_count;
	size_t scope_capacity;
};

struct dwarf_index {
	Dwarf *dwarf;
	uint64_t text_start;
	uint64_t text_end;
	struct unit *units; /* in order of offset */
	size_t unit_count;
	size_t unit_capacity;
	struct range_list ranges;
};

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
	struct unit *unit;

	if (!ranges_reserve((void **)&x->units, &x->unit_capacity,
			    x->unit_count, sizeof(*x->units), UNITS_MAX))
		return false;
	unit = &x->units[x->unit_count];
	*unit = (struct unit){.die = *die};
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

static uint32_t add_scope(struct unit *unit, Dwarf_Die *die, uint32_t parent)
{
	if (!ranges_reserve((void **)&unit->scopes, &unit->scope_capacity,
			    unit->scope_count, sizeof(*unit->scopes),
			    RANGES_MAX))
		return parent;
	unit->scopes[unit->scope_count] = (struct scope){
		.offset = dwarf_dieoffset(die),
		.parent = parent,
	};
	return (uint32_t)unit->scope_count++;
}

static void scan_children(struct dwarf_index *x, struct unit *unit,
			  Dwarf_Die *parent, uint32_t scope, unsigned depth);

static void scan_entry(struct dwarf_index *x, struct unit *unit, Dwarf_Die *die,
		       uint32_t scope, unsigned depth)
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
static void scan_children(struct dwarf_index *x, struct unit *unit,
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

static void scan_unit(struct dwarf_index *x, struct unit *unit, bool bodies)
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

static bool find_function(struct dwarf_index *x, struct unit *unit,
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

static bool find_in_unit(struct dwarf_index *x, struct unit *unit,
			 uint64_t address, struct dwarf_chain *chain)
{
	chain->unit = unit->die;
	chain->count = 0;
	scan_unit(x, unit, false);
	if (!find_function(x, unit, address, chain)) {
		scan_unit(x, unit, true);
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
	struct unit *covering = NULL;

	for (int tries = 0; i-- > 0 && tries < CANDIDATES_MAX; tries++) {
		const struct range *r = &x->ranges.list[i];

		if (address >= r->max_end)
			break;
		if (address >= r->end)
			continue;
		struct unit *unit = &x->units[r->owner];
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

/* ---- Names -------------------------------------------------------------- */

const char *dwarf_linkage_name(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;

	if (!dwarf_attr_integrate(die, DW_AT_linkage_name, &attribute) &&
	    !dwarf_attr_integrate(die, DW_AT_MIPS_linkage_name, &attribute))
		return NULL;
	const char *name = dwarf_formstring(&attribute);
	return name && name[0] ? name : NULL;
}

/* From a concrete or inlined copy to the declaration that has the name. */
static bool declaration_of(Dwarf_Die *die, Dwarf_Die *declaration)
{
	Dwarf_Attribute attribute;

	*declaration = *die;
	for (int i = 0; i < REFERENCES_MAX; i++) {
		Dwarf_Die next;

		if (!dwarf_attr(declaration, DW_AT_abstract_origin,
				&attribute) &&
		    !dwarf_attr(declaration, DW_AT_specification, &attribute))
			return true;
		if (!dwarf_formref_die(&attribute, &next))
			return false;
		*declaration = next;
	}
	return false;
}

static struct unit *unit_of(struct dwarf_index *x, Dwarf_Die *die)
{
	Dwarf_Die cu;
	size_t low = 0, high = x->unit_count;

	if (!dwarf_diecu(die, &cu, NULL, NULL) ||
	    dwarf_cu_getdwarf(cu.cu) != x->dwarf)
		return NULL; /* a dwz file's */
	Dwarf_Off offset = dwarf_dieoffset(&cu);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		Dwarf_Off here = dwarf_dieoffset(&x->units[middle].die);

		if (here == offset)
			return &x->units[middle];
		if (here < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static uint32_t find_scope(const struct unit *unit, Dwarf_Off offset)
{
	size_t low = 0, high = unit->scope_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (unit->scopes[middle].offset == offset)
			return (uint32_t)middle;
		if (unit->scopes[middle].offset < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return NO_PARENT;
}

static void add_scope_name(struct dwarf_index *x, const struct unit *unit,
			   uint32_t scope, struct text *name)
{
	Dwarf_Die die;

	if (!dwarf_offdie(x->dwarf, unit->scopes[scope].offset, &die))
		return;
	const char *part = dwarf_diename(&die);
	/* Types without a name add nothing; namespaces do. */
	if (!part && dwarf_tag(&die) != DW_TAG_namespace)
		return;
	text_add(name, part ? part : "(anonymous namespace)");
	text_add(name, "::");
}

char *dwarf_scoped_name(struct dwarf_index *x, Dwarf_Die *die)
{
	uint32_t path[DEPTH_MAX + 2];
	size_t depth = 0;
	struct text name = {0};
	Dwarf_Die declaration;
	struct unit *unit;

	if (!declaration_of(die, &declaration))
		return NULL;
	const char *last = dwarf_diename(&declaration);
	if (!last || !last[0])
		return NULL;
	unit = unit_of(x, &declaration);
	if (unit) {
		scan_unit(x, unit, false);
		uint32_t s = find_scope(unit, dwarf_dieoffset(&declaration));
		while (s != NO_PARENT && depth < DEPTH_MAX + 2 &&
		       (s = unit->scopes[s].parent) != NO_PARENT)
			path[depth++] = s;
		while (depth-- > 0)
			add_scope_name(x, unit, path[depth], &name);
	}
	text_add(&name, last);
	if (name.failed)
		text_free(&name);
	return name.data;
}
