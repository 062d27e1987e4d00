/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of functions, with the scopes around them. */
#include <dwarf.h>

#include "base/text.h"
#include "symbol/dwarf_index_internal.h"

#define REFERENCES_MAX 16

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

static struct dwarf_unit *unit_of(struct dwarf_index *x, Dwarf_Die *die)
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

static uint32_t find_scope(const struct dwarf_unit *unit, Dwarf_Off offset)
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

static void add_scope_name(struct dwarf_index *x, const struct dwarf_unit *unit,
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
	struct dwarf_unit *unit;

	if (!declaration_of(die, &declaration))
		return NULL;
	const char *last = dwarf_diename(&declaration);
	if (!last || !last[0])
		return NULL;
	unit = unit_of(x, &declaration);
	if (unit) {
		dwarf_unit_scan(x, unit, false);
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
