// SPDX-License-Identifier: GPL-2.0-only
/* Finding an object's allocator: see catalogue.h; the names: alloc_names.c. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leakbpf/abi_user.h"
#include "probe/alloc_graph.h"
#include "probe/alloc_names.h"
#include "probe/catalogue.h"

#define FOUND_MAX 4096 /* symbols; no honest object has as many */

/* A symbol whose name is in the catalogue. */
struct found {
	struct alloc_match match;
	char name[64];
	uint64_t address;
	uint64_t size;
	bool is_dynamic;
};

struct search {
	const struct object *object;
	struct found *list;
	size_t count;
	bool has_malloc[FAMILIES], has_free[FAMILIES];
	const char *allocator;
	unsigned allocator_rank;
	bool is_libc;
	bool is_loader;
};

/* ---- Symbols ---- */

static void note_markers(struct search *s, const char *name)
{
	const char *allocator;
	unsigned rank;
	bool is_libc;

	/* Only glibc's ld.so defines it; its malloc serves itself. */
	if (!strcmp(name, "_rtld_global"))
		s->is_loader = true;
	allocator = alloc_marker_find(name, &rank, &is_libc);
	if (!allocator)
		return;
	s->is_libc |= is_libc;
	if (s->allocator && s->allocator_rank <= rank)
		return;
	s->allocator = allocator;
	s->allocator_rank = rank;
}

static bool is_code(const struct object *o, uint64_t address)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *p = &o->segments[i];

		if (p->executable && address >= p->address &&
		    address - p->address < p->file_size)
			return true;
	}
	return false;
}

static int found_append(struct search *s, const struct found *f)
{
	if (s->count >= FOUND_MAX)
		return 0;
	if (!(s->count & (s->count - 1))) {
		size_t room = s->count ? s->count * 2 : 1;
		struct found *list = realloc(s->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
	}
	s->list[s->count++] = *f;
	return 0;
}

static int each_symbol(const struct object_symbol *symbol, void *context)
{
	struct search *s = context;
	struct found f = {
		.address = symbol->address,
		.size = symbol->size,
		.is_dynamic = symbol->is_dynamic,
	};

	note_markers(s, symbol->name);
	if (!symbol->is_function || symbol->is_ifunc ||
	    !alloc_name_find(symbol->name, &f.match) ||
	    !is_code(s->object, f.address))
		return 0;
	s->has_malloc[f.match.family] |= f.match.is_malloc;
	s->has_free[f.match.family] |= f.match.is_free;
	snprintf(f.name, sizeof(f.name), "%s", symbol->name);
	return found_append(s, &f);
}

/* ---- Choosing ---- */

static bool family_is_defined(const struct search *s, enum alloc_family family)
{
	return s->has_malloc[family] && s->has_free[family];
}

static bool any_family(const struct search *s)
{
	for (int f = 0; f < FAMILIES; f++)
		if (family_is_defined(s, (enum alloc_family)f))
			return true;
	return false;
}

static bool wanted(const struct search *s, const struct found *f,
		   const struct catalogue_options *opt)
{
	switch (f->match.family) {
	case FAMILY_MAP:
		return opt->memory_maps && (s->is_libc || any_family(s));
	case FAMILY_CXX:
		return any_family(s);
	default:
		return family_is_defined(s, f->match.family);
	}
}

/* A local symbol may by chance be called like a public function that the
 * object defines: "static void free(struct node *)". */
static bool is_shadowed(const struct search *s, const struct found *f)
{
	if (f->is_dynamic)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->list[i].is_dynamic && s->list[i].address != f->address &&
		    !strcmp(s->list[i].name, f->name))
			return true;
	return false;
}

static int by_address_and_rank(const void *a, const void *b)
{
	const struct found *x = a, *y = b;

	if (x->address != y->address)
		return x->address < y->address ? -1 : 1;
	if (x->match.rank != y->match.rank)
		return x->match.rank < y->match.rank ? -1 : 1;
	return (x->size < y->size) - (x->size > y->size);
}

/* Adds one name; further names of the same function only say more of it. What
 * can be called by a name that does not throw never does. */
static void choose_one(struct alloc_functions *out, const struct found *f)
{
	const struct alloc_name *entry = f->match.entry;
	struct alloc_function *last =
		out->count ? &out->list[out->count - 1] : NULL;

	if (last && last->address == f->address) {
		last->flags &= entry->flags;
		if (!last->size)
			last->size = f->size;
		return;
	}
	last = &out->list[out->count++];
	memset(last, 0, sizeof(*last));
	memcpy(last->name, f->name, sizeof(last->name));
	last->address = f->address;
	last->size = f->size;
	last->kind = entry->kind;
	last->flags = entry->flags;
}

static int choose(struct search *s, const struct catalogue_options *opt,
		  struct alloc_functions *out)
{
	if (!s->count || s->is_loader)
		return 0;
	out->list = calloc(s->count, sizeof(*out->list));
	if (!out->list)
		return -ENOMEM;
	qsort(s->list, s->count, sizeof(*s->list), by_address_and_rank);
	for (size_t i = 0; i < s->count; i++)
		if (wanted(s, &s->list[i], opt) && !is_shadowed(s, &s->list[i]))
			choose_one(out, &s->list[i]);
	out->allocator = s->allocator;
	return 0;
}

/* ---- Interface ---- */

int catalogue_find(const struct object *o, const struct catalogue_options *opt,
		   struct alloc_functions *out)
{
	struct search s = {.object = o};
	int err;

	memset(out, 0, sizeof(*out));
	if (o->machine != EM_X86_64 || o->is_vdso)
		return 0;
	err = object_each_symbol(o, each_symbol, &s);
	if (!err)
		err = choose(&s, opt, out);
	free(s.list);
	if (!err && out->count)
		err = alloc_graph_refine(o, out);
	if (!out->allocator)
		out->allocator = "malloc replacement";
	if (err)
		alloc_functions_free(out);
	return err;
}

void alloc_functions_free(struct alloc_functions *f)
{
	free(f->list);
	free(f->internals);
	memset(f, 0, sizeof(*f));
}

static int find_hook(const struct object_symbol *symbol, void *context)
{
	uint64_t *address = context;

	if (!symbol->is_function || symbol->is_ifunc ||
	    strcmp(symbol->name, "_dl_debug_state"))
		return 0;
	*address = symbol->address;
	return 1;
}

bool catalogue_find_loader_hook(const struct object *o, uint64_t *address)
{
	uint64_t found = 0;

	if (o->machine != EM_X86_64 || o->is_vdso ||
	    object_each_symbol(o, find_hook, &found) != 1 || !is_code(o, found))
		return false;
	*address = found;
	return true;
}
