/* SPDX-License-Identifier: GPL-2.0-only */
/* Shared by the files of src/object. */
#ifndef OBJECT_OBJECT_INTERNAL_H
#define OBJECT_OBJECT_INTERNAL_H

#include <libelf.h>

#include "object/object.h"

/* libelf on the object's file or image; reads with pread, never maps. NULL
 * when libelf does not accept it. End with elf_end. */
Elf *object_elf(const struct object *o);

bool object_has_section(const struct object *o, const char *name);

#endif
