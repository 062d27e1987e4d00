/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the dynamic linker puts into an object's GOT slots, as far as it
 * concerns allocation: functions of the object itself, and imported ones whose
 * name is in the catalogue.
 */
#ifndef PROBE_CODE_SLOTS_H
#define PROBE_CODE_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/object.h"
#include "probe/alloc_names.h"

struct code_slot {
	uint64_t slot;
	uint64_t address; /* of the function; 0 when imported */
	uint32_t kind;	  /* enum alloc_kind, by its name; 0 for others */
};

struct code_slots {
	struct code_slot *list; /* sorted by slot */
	size_t count;
};

/* An object without relocations (or with damaged ones) has none. 0 or
 * -ENOMEM. */
int code_slots_read(const struct object *o, struct code_slots *out);
void code_slots_free(struct code_slots *s);
const struct code_slot *code_slots_find(const struct code_slots *s,
					uint64_t slot);
/* Whether a PLT stub is at `address`; *slot: what stands behind it, NULL when
 * it is not known. */
bool code_slots_stub(const struct code_slots *s, const struct object *o,
		     uint64_t address, const struct code_slot **slot);

#endif
