/* SPDX-License-Identifier: GPL-2.0-only */
/* Which class a method belongs to. */
#ifndef V8_METHOD_CLASS_H
#define V8_METHOD_CLASS_H

#include "base/text.h"
#include "v8/heap_object.h"

/*
 * Appends the name of the class that has `function` as a method, static or
 * not, found out from the receiver of a call: the function is looked for in
 * what the receiver and its prototypes hold. V8's stack traces name the class
 * of the receiver, which may be one that extends it. -ENOENT: the function is
 * no method (a constructor, called by itself, of an object without a class), or
 * an accessor or private, which are not kept there.
 */
int v8_method_class(const struct v8_reader *r, uint64_t function,
		    uint64_t receiver, struct text *out);

#endif
