/* SPDX-License-Identifier: GPL-2.0-only */
/* Who made an object. */
#ifndef V8_CONSTRUCTOR_H
#define V8_CONSTRUCTOR_H

#include "base/text.h"
#include "v8/heap_object.h"

/*
 * Appends the name of the class or function that objects with this map were
 * made by. -ENOENT: by none (proxies, objects of C++).
 *
 * A map leads to the function that allocated the object: of a class that
 * extends another, that is the base class. What was called is the function
 * whose `prototype` the objects have; it is looked for where that prototype
 * keeps its properties, one of which is `constructor`.
 */
int v8_constructor_name(const struct v8_reader *r, uint64_t map,
			struct text *out);

/* The function whose `prototype` property this object is, if the object says
 * so by its `constructor`. -ENOENT: none. */
int v8_prototype_constructor(const struct v8_reader *r, uint64_t prototype,
			     uint64_t *function);

#endif
