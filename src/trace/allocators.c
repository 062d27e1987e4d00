// SPDX-License-Identifier: GPL-2.0-only
#include "trace/allocators.h"

#include <errno.h>
#include <stdlib.h>

const struct allocator *allocator_of(struct allocators *all,
				     const struct object *o)
{
	const struct catalogue_options options = {.memory_maps = true};
	struct allocator *a;

	if (o->id >= OBJECTS_MAX)
		return NULL;
	if (all->by_object[o->id])
		return all->by_object[o->id];
	a = calloc(1, sizeof(*a));
	if (!a)
		return NULL;
	a->err = catalogue_find(o, &options, &a->functions);
	if (!catalogue_find_loader_hook(o, &a->loader_hook))
		a->loader_hook = 0;
	if (usdt_find(o, &a->usdt) == -ENOMEM)
		a->err = -ENOMEM;
	all->by_object[o->id] = a;
	return a;
}

void allocators_forget(struct allocators *all, uint32_t object)
{
	struct allocator *a = all->by_object[object];

	if (!a)
		return;
	alloc_functions_free(&a->functions);
	free(a->usdt.list);
	free(a);
	all->by_object[object] = NULL;
}

void allocators_free(struct allocators *all)
{
	for (uint32_t id = 0; id < OBJECTS_MAX; id++)
		allocators_forget(all, id);
}
