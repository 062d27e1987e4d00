/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory of a stopped Node, made by tools/v8_image: gzip'ed lines, numbers in
 * hexadecimal except versions and types.
 *
 *   v8 MAJOR MINOR           layout: by the table of versions
 *   engine BIAS BYTECODE_SIZES BYTES ISOLATE_GROUP DISPATCH_TABLE
 *   type NUMBER NAME
 *   expect FUNCTION<tab>FILE<tab>LINE<tab>COLUMN    V8's own stack, innermost
 *                            first; decimal; "" for what it does not tell
 *   object ADDRESS TYPE      what the script says that it made
 *   frame SHARED FUNCTION BYTECODES CODE PC POSITION KIND LEAF SCRIPT LITERAL
 *         RECEIVER
 *   block ADDRESS BYTES
 */
#ifndef TESTS_V8_IMAGE_H
#define TESTS_V8_IMAGE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "v8/js_frame.h"
#include "v8/layout_table.h"

#define IMAGE_BLOCK_BYTES 128
#define IMAGE_BLOCKS_MAX  8192
#define IMAGE_LIST_MAX	  64

struct image_block {
	uint64_t address;
	uint8_t bytes[IMAGE_BLOCK_BYTES];
};

struct image_expected {
	char function[64], file[128];
	unsigned int line, column;
};

struct image_object {
	uint64_t address;
	char type[64];
};

struct v8_image {
	struct v8_engine engine;
	uint64_t bias;
	struct v8_memory memory;
	struct image_expected expected[IMAGE_LIST_MAX];
	struct image_object objects[IMAGE_LIST_MAX];
	struct js_frame frames[IMAGE_LIST_MAX];
	size_t expected_count, object_count, frame_count, block_count;
	size_t hidden; /* number of a block that cannot be read */
	size_t reads;  /* since the image was opened */
	struct image_block blocks[IMAGE_BLOCKS_MAX];
};

#define IMAGE_NOTHING_HIDDEN SIZE_MAX

static inline int image_compare(const void *a, const void *b)
{
	const struct image_block *x = a, *y = b;

	return (x->address > y->address) - (x->address < y->address);
}

static inline int image_read(void *context, uint64_t address, void *out,
			     size_t size)
{
	struct v8_image *m = context;
	uint8_t *to = out;

	m->reads++;
	while (size) {
		struct image_block key = {.address = address /
						     IMAGE_BLOCK_BYTES *
						     IMAGE_BLOCK_BYTES};
		const struct image_block *b =
			bsearch(&key, m->blocks, m->block_count, sizeof(key),
				image_compare);
		size_t skip = address - key.address;
		size_t n = IMAGE_BLOCK_BYTES - skip;

		if (!b || (size_t)(b - m->blocks) == m->hidden)
			return -EFAULT;
		if (n > size)
			n = size;
		memcpy(to, b->bytes + skip, n);
		to += n;
		address += n;
		size -= n;
	}
	return 0;
}

static inline void image_line_engine(struct v8_image *m, const char *line)
{
	struct v8_engine *e = &m->engine;
	unsigned int type;

	if (sscanf(line, "v8 %u %u", &e->version.major, &e->version.minor) ==
	    2) {
		for (size_t i = 0; i < v8_row_count; i++)
			if (v8_rows[i].major == e->version.major &&
			    v8_rows[i].minor == e->version.minor)
				e->layout = v8_rows[i].layout;
	}
	sscanf(line, "engine %lx %lx %x %lx %x", &m->bias, &e->bytecode_sizes,
	       &e->bytecode_sizes_bytes, &e->default_isolate_group,
	       &e->isolate_group_dispatch_table);
	if (sscanf(line, "type %u %37s", &type, e->types[e->type_count].name) ==
	    2)
		e->types[e->type_count++].type = (uint16_t)type;
}

static inline void image_line_frame(struct v8_image *m, const char *line)
{
	struct js_frame *f = &m->frames[m->frame_count];
	unsigned long shared, function, bytecodes, code, pc, receiver;
	unsigned int position, kind, leaf, script, literal;

	if (m->frame_count < IMAGE_LIST_MAX &&
	    sscanf(line, "frame %lx %lx %lx %lx %lx %x %x %x %x %x %lx",
		   &shared, &function, &bytecodes, &code, &pc, &position, &kind,
		   &leaf, &script, &literal, &receiver) == 11) {
		*f = (struct js_frame){
			.shared = shared,
			.function = function,
			.bytecode_array = bytecodes,
			.code = code,
			.pc = pc,
			.position = position,
			.kind = (uint8_t)kind,
			.leaf = (uint8_t)leaf,
			.script_id = (int32_t)script,
			.function_literal_id = (int32_t)literal,
			.receiver = receiver,
		};
		m->frame_count++;
	}
}

/* "FUNCTION<tab>FILE<tab>LINE<tab>COLUMN": any may be empty. */
static inline void image_line_expected(struct v8_image *m, char *line)
{
	struct image_expected *x = &m->expected[m->expected_count];
	char *part[4] = {""};

	for (int i = 0; i < 4; i++)
		part[i] = line ? strsep(&line, "\t\n") : "";
	if (m->expected_count < IMAGE_LIST_MAX) {
		snprintf(x->function, sizeof(x->function), "%s", part[0]);
		snprintf(x->file, sizeof(x->file), "%s", part[1]);
		x->line = (unsigned int)atoi(part[2]);
		x->column = (unsigned int)atoi(part[3]);
		m->expected_count++;
	}
}

static inline void image_line_block(struct v8_image *m, const char *line)
{
	struct image_block *b = &m->blocks[m->block_count];
	int skip = 0;

	if (m->block_count == IMAGE_BLOCKS_MAX ||
	    sscanf(line, "block %lx %n", &b->address, &skip) != 1)
		return;
	for (size_t i = 0; i < IMAGE_BLOCK_BYTES; i++)
		if (sscanf(line + skip + 2 * i, "%2hhx", &b->bytes[i]) != 1)
			return;
	m->block_count++;
}

/* Of tests/unit/data/v8; NULL when it cannot be read. Free with free(). */
static inline struct v8_image *image_open(const char *path)
{
	struct v8_image *m = calloc(1, sizeof(*m));
	gzFile file = gzopen(path, "rb");
	char line[512];

	if (!m || !file)
		return NULL;
	while (gzgets(file, line, sizeof(line))) {
		struct image_object *o = &m->objects[m->object_count];

		if (line[0] == 'b')
			image_line_block(m, line);
		else if (line[0] == 'f')
			image_line_frame(m, line);
		else if (strncmp(line, "expect ", 7) == 0)
			image_line_expected(m, line + 7);
		else if (m->object_count < IMAGE_LIST_MAX - 1 &&
			 sscanf(line, "object %lx %63[^\n]", &o->address,
				o->type) == 2)
			m->object_count++;
		else
			image_line_engine(m, line);
	}
	gzclose(file);
	qsort(m->blocks, m->block_count, sizeof(m->blocks[0]), image_compare);
	m->hidden = IMAGE_NOTHING_HIDDEN;
	m->memory = (struct v8_memory){.read = image_read, .context = m};
	v8_memory_begin(&m->memory);
	return m;
}

#endif
