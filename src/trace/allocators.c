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

void allocators_free(struct allocators *all)
{
	for (size_t i = 0; i < OBJECTS_MAX; i++) {
		if (!all->by_object[i])
			continue;
		alloc_functions_free(&all->by_object[i]->functions);
		free(all->by_object[i]->usdt.list);
		free(all->by_object[i]);
		all->by_object[i] = NULL;
	}
}
