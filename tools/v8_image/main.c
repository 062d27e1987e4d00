/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * v8_image [--allocation | --own] OUT NODE ARGUMENT...: runs Node on a script
 * that tells its stack and its objects as V8 sees them (tests/unit/data/v8/),
 * stops it, and keeps what the decoders read of its memory, for tests without
 * Node. With --own: only of the script's own frames.
 * The format: tests/unit/v8_image.h. How all images are made: make_all.sh.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "node.h"
#include "v8/code.h"
#include "v8/function.h"
#include "v8/js_frame.h"
#include "walk.h"

/* Of an allocation: the function that allocates, and its caller. */
#define ALLOCATION_FRAMES 2

/* Kept in whole blocks, so that decoders may change a little. */
#define BLOCK_BYTES 128
#define BLOCKS_MAX  (1u << 16)
#define SHOWN_MAX   64

struct image {
	struct v8_memory live;
	uint64_t blocks[BLOCKS_MAX];
	size_t count;
};

static void keep(struct image *image, uint64_t block)
{
	for (size_t i = image->count; i-- > 0;)
		if (image->blocks[i] == block)
			return;
	if (image->count == BLOCKS_MAX)
		node_fail("too much memory read");
	image->blocks[image->count++] = block;
}

static int read_and_keep(void *context, uint64_t address, void *out,
			 size_t size)
{
	struct image *image = context;
	int err = image->live.read(image->live.context, address, out, size);

	if (!err)
		for (uint64_t b = address / BLOCK_BYTES;
		     b <= (address + size - 1) / BLOCK_BYTES; b++)
			keep(image, b * BLOCK_BYTES);
	return err;
}

static void write_blocks(gzFile out, const struct image *image)
{
	uint8_t bytes[BLOCK_BYTES];

	for (size_t i = 0; i < image->count; i++) {
		if (image->live.read(image->live.context, image->blocks[i],
				     bytes, sizeof(bytes)))
			continue;
		gzprintf(out, "block %lx ", image->blocks[i]);
		for (size_t k = 0; k < sizeof(bytes); k++)
			gzprintf(out, "%02x", bytes[k]);
		gzprintf(out, "\n");
	}
}

static void write_engine(gzFile out, const struct v8_reader *r)
{
	const struct v8_engine *e = r->engine;

	/* The unit test fills in the rest from the table of versions. */
	gzprintf(out, "v8 %u %u\n", e->version.major, e->version.minor);
	gzprintf(out, "engine %lx %lx %x %lx %x\n", r->bias, e->bytecode_sizes,
		 e->bytecode_sizes_bytes, e->default_isolate_group,
		 e->isolate_group_dispatch_table);
	for (uint32_t i = 0; i < e->type_count; i++)
		gzprintf(out, "type %u %s\n", e->types[i].type,
			 e->types[i].name);
}

static void write_frames(gzFile out, const struct v8_reader *r,
			 const struct js_frame *frames, size_t count)
{
	struct js_scripts *scripts = js_scripts_new(16 << 20);

	for (size_t i = 0; i < count; i++) {
		const struct js_frame *f = &frames[i];
		struct js_location at;
		uint64_t code;

		gzprintf(out, "frame %lx %lx %lx %lx %lx %x %x %x %x %x %lx\n",
			 (long)f->shared, (long)f->function,
			 (long)f->bytecode_array, (long)f->code, (long)f->pc,
			 f->position, f->kind, f->leaf, f->script_id,
			 f->function_literal_id, f->receiver);
		v8_function_code(r, f->function, &code); /* to have it read */
		if (js_frame_resolve(r->engine, r->bias, r->memory, scripts, f,
				     &at))
			node_fail("js_frame_resolve");
		if (!at.level_count)
			fprintf(stderr, "? shortfall %d\n", at.shortfall);
		for (uint32_t k = 0; k < at.level_count; k++)
			fprintf(stderr, "%s %s:%u:%u%s kind %d shortfall %d\n",
				at.levels[k].function,
				at.levels[k].file ? at.levels[k].file : "-",
				at.levels[k].line, at.levels[k].column,
				at.levels[k].approximate ? "~" : "", f->kind,
				at.shortfall);
		js_location_free(&at);
	}
	js_scripts_free(scripts);
}

/* An object of which the script printed the type, and V8 the address. */
struct shown {
	char name[64];
	uint64_t address; /* tagged */
};

struct output {
	char *expected; /* "expect" lines */
	struct shown objects[SHOWN_MAX];
	size_t names, addresses;
};

/* What the script tells up to "ready": its stack, as "expect" lines; objects as
 * "object NAME", with V8's "DebugPrint: ADDRESS: ..." for each. */
static void read_output(FILE *from, struct output *o)
{
	char line[4096];
	size_t size;
	FILE *expected = open_memstream(&o->expected, &size);
	unsigned long address;

	while (fgets(line, sizeof(line), from) && strcmp(line, "ready\n")) {
		if (strncmp(line, "expect ", 7) == 0)
			fputs(line, expected);
		else if (o->names < SHOWN_MAX &&
			 sscanf(line, "object %63[^\n]",
				o->objects[o->names].name) == 1)
			o->names++;
		else if (o->addresses < SHOWN_MAX &&
			 sscanf(line, "DebugPrint: %lx", &address) == 1)
			o->objects[o->addresses++].address = address;
	}
	fclose(expected);
}

static void write_objects(gzFile out, const struct output *o,
			  const struct v8_reader *r)
{
	for (size_t i = 0; i < o->names && i < o->addresses; i++) {
		uint64_t object = o->objects[i].address;
		char name[64], type[256] = "?";
		unsigned int offset;

		if (sscanf(o->objects[i].name, "%63[^+]+%u", name, &offset) ==
		    2)
			v8_field(r, object, offset, &object);
		js_object_type(r->engine, r->memory, object - V8_TAG, type,
			       sizeof(type));
		fprintf(stderr, "object %s: %s\n", name, type);
		gzprintf(out, "object %lx %s\n", object - V8_TAG, name);
	}
}

/* Also where the function has other code by now (OSR). */
static bool is_optimised(const struct v8_reader *r, const struct js_frame *f)
{
	struct v8_code code;

	v8_memory_begin(r->memory);
	return (f->kind == JS_CODE_OPTIMISED || f->kind == JS_CODE_UNKNOWN) &&
	       !v8_code_at(r, f->pc, &code) &&
	       code.kind > v8_layout_of(r)->code_kind_baseline;
}

/* Where V8 fills an allocation area, for any version. */
static uint64_t filling(const struct v8_engine *e)
{
	static const enum v8_point points[] = {
		V8_POINT_ALLOCATE, V8_POINT_NEW_AREA, V8_POINT_RESET_LAB};
	size_t i = 0;

	while (i < 2 && !e->points[points[i]])
		i++;
	return e->points[points[i]];
}

/* The stack of an allocation by optimised code. */
static size_t find_allocation(struct node *n, const struct v8_reader *r,
			      struct js_frame frames[WALK_FRAMES_MAX])
{
	size_t count;

	do {
		node_run_to(n, filling(r->engine) + r->bias);
		count = walk_stack(r, n->stack, n->stack_end, frames);
	} while (!count || !is_optimised(r, &frames[0]));
	return count > ALLOCATION_FRAMES ? ALLOCATION_FRAMES : count;
}

/* The stack where it waits; with `own`, what is of the innermost function's
 * script. */
static size_t find_stack(struct node *n, const struct v8_reader *r, bool own,
			 struct js_frame frames[WALK_FRAMES_MAX])
{
	size_t count = walk_stack(r, n->stack, n->stack_end, frames);

	for (size_t i = 1; own && i < count; i++)
		if (frames[i].script_id != frames[0].script_id)
			return i;
	return count;
}

int main(int argc, char **argv)
{
	static struct v8_engine engine;
	static struct image image;
	static struct output told;
	struct js_frame frames[WALK_FRAMES_MAX];
	struct v8_memory memory = {.read = read_and_keep, .context = &image};
	struct v8_reader reader = {&engine, 0, &memory};
	bool allocation = argc > 1 && strcmp(argv[1], "--allocation") == 0;
	bool own = argc > 1 && strcmp(argv[1], "--own") == 0;
	struct node node;
	size_t count;
	gzFile out;

	argv += allocation || own;
	if (argc - (allocation || own) < 3)
		return 2;
	node_start(&node, argv + 2);
	read_output(node.output, &told);
	node_stop(&node);
	node_find_engine(&node, &engine, &reader.bias);
	out = gzopen(argv[1], "wb9");
	if (!out || v8_memory_open(&image.live, node.pid))
		node_fail(argv[1]);
	write_engine(out, &reader);
	gzputs(out, told.expected);
	count = allocation ? find_allocation(&node, &reader, frames)
			   : find_stack(&node, &reader, own, frames);
	image.count = 0; /* what finding it read is not needed */
	write_objects(out, &told, &reader);
	write_frames(out, &reader, frames, count);
	write_blocks(out, &image);
	v8_memory_close(&image.live);
	node_end(&node);
	return gzclose(out) == Z_OK ? 0 : 1;
}
