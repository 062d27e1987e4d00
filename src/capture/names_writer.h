/* SPDX-License-Identifier: GPL-2.0-only */
/* Puts names into a capture: each text, object and symbol once, and a symbol
 * again when a better one is known. */
#ifndef CAPTURE_NAMES_WRITER_H
#define CAPTURE_NAMES_WRITER_H

#include <stdio.h>

#include "base/intern.h"
#include "base/text.h"
#include "leakbpf/abi_user.h"
#include "symbol/names.h"

struct names_writer {
	struct intern *strings;
	struct intern *frames;
	uint64_t *written; /* by number of the frame: a hash of its symbol */
	uint32_t written_capacity;
	bool objects[OBJECTS_MAX];
	/* What is still to be written: payloads of records. */
	struct text new_strings, new_objects, new_symbols, new_generated;
};

int names_writer_init(struct names_writer *w); /* 0 or -ENOMEM */
void names_writer_free(struct names_writer *w);
/* The ids of these objects are about to be others'. */
void names_writer_forget_objects(struct names_writer *w, const bool *objects);
/* Takes over from `w` with what the file has after it was thinned. */
void names_writer_replace(struct names_writer *w, struct names_writer *by);
/* Whether a symbol of the frame was added. */
bool names_writer_has(struct names_writer *w, uint64_t frame);
/* Writes the records of what is new. 0 or -errno. */
int names_writer_flush(struct names_writer *w, FILE *out);
/* Adds what is new of these frames. True: all of them have names. */
bool names_writer_add(struct names_writer *w, const struct names *names,
		      const uint64_t *frames, uint32_t count);

#endif
