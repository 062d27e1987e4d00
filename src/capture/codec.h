/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One description of a record serves both directions: each function writes the
 * value when `out` is set, else reads it. Integers are LEB128. What was written
 * by a later version may be longer: the rest of a record is left alone.
 */
#ifndef CAPTURE_CODEC_H
#define CAPTURE_CODEC_H

#include <stdbool.h>

#include "base/cursor.h"
#include "base/text.h"

struct codec {
	struct text *out; /* NULL: reading */
	struct cursor in;
};

void code_u64(struct codec *c, uint64_t *value);
/* Reading a value that does not fit fails the cursor. */
void code_u32(struct codec *c, uint32_t *value);
void code_bool(struct codec *c, bool *value);
/* Length and bytes; what is read lies within the record. */
void code_bytes(struct codec *c, const char **bytes, size_t *size);

/* As its 64 bits; what is no number becomes 0. */
void code_double(struct codec *c, double *value);
/* A string of at most `size` bytes, NUL included; what is longer is cut. */
void code_text(struct codec *c, char *text, size_t size);

#endif
