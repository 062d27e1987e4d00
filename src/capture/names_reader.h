/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of a capture file. */
#ifndef CAPTURE_NAMES_READER_H
#define CAPTURE_NAMES_READER_H

#include "base/cursor.h"
#include "base/intern.h"
#include "leakbpf/abi_user.h"
#include "symbol/names.h"

struct names_reader {
	char **strings;
	uint32_t string_count, string_capacity;
	struct intern *frames; /* uint64_t */
	struct symbol *
		*symbols; /* by number of the frame; one allocation each */
	uint32_t symbol_capacity;
	struct names_object *objects; /* by id; path NULL: not known */
	uint32_t given_up;
};

int names_reader_init(struct names_reader *r); /* 0 or -ENOMEM */
void names_reader_free(struct names_reader *r);

/* Whether records of this type are names. */
bool names_are_in(uint32_t type);
/* Takes such a record, and leaves out others: 0, -EINVAL, -ENOMEM. */
int names_take(struct names_reader *r, uint32_t type, struct cursor *in);

/* Whether there is a symbol of this frame. */
bool names_reader_has(struct names_reader *r, uint64_t frame);
struct names names_of_reader(struct names_reader *r);

#endif
