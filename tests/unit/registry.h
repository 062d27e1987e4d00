/* SPDX-License-Identifier: GPL-2.0-only */
/* A registry of objects for each test: cmocka fixtures. */
#ifndef UNIT_REGISTRY_H
#define UNIT_REGISTRY_H

#include "object/object.h"

static struct object_registry *registry;

static inline int registry_make(void **state)
{
	(void)state;
	registry = object_registry_new();
	return registry ? 0 : -1;
}

static inline int registry_remove(void **state)
{
	(void)state;
	object_registry_free(registry);
	return 0;
}

#endif
