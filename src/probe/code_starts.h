/* SPDX-License-Identifier: GPL-2.0-only */
/* Where functions of an object start: from symbols and .eh_frame_hdr. */
#ifndef PROBE_CODE_STARTS_H
#define PROBE_CODE_STARTS_H

#include <stddef.h>
#include <stdint.h>

#include "object/object.h"

struct code_starts {
	uint64_t *list; /* sorted */
	size_t count;
};

int code_starts_read(const struct object *o, struct code_starts *out);
void code_starts_free(struct code_starts *s);
/* The first start after `address`, else the end of the object's code. */
uint64_t code_starts_after(const struct code_starts *s, const struct object *o,
			   uint64_t address);

#endif
