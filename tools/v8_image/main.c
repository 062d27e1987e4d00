/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * v8_image OUT NODE ARGUMENT...: runs Node on a script that prints its stack
 * and its objects as V8 sees them and then waits (tests/unit/data/v8/stop.js),
 * and keeps what the decoders read of its memory, for tests without Node.
 * The format: tests/unit/v8_image.h. How all images are made: make_all.sh.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

#include "target/maps.h"
#include "v8/js_frame.h"
#include "walk.h"

/* Kept in whole blocks, so that decoders may change a little. */
#define BLOCK_BYTES 128
#define BLOCKS_MAX  (1u << 16)
#define SHOWN_MAX   64

struct image {
	struct v8_memory live;
	uint64_t blocks[BLOCKS_MAX];
	size_t count;
};

static void fail(const char *what)
{
	fprintf(stderr, "v8_image: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void keep(struct image *image, uint64_t block)
{
	for (size_t i = image->count; i-- > 0;)
		if (image->blocks[i] == block)
			return;
	if (image->count == BLOCKS_MAX)
		fail("too much memory read");
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

	gzprintf(out, "v8 %u %u\n", e->version.major, e->version.minor);
	gzprintf(out, "engine %lx %lx %x %lx %x\n", r->bias, e->bytecode_sizes,
		 e->bytecode_sizes_bytes, e->default_isolate_group,
		 e->isolate_group_dispatch_table);
	for (uint32_t i = 0; i < e->type_count; i++)
		gzprintf(out, "type %u %s\n", e->types[i].type,
			 e->types[i].name);
}

static void write_frames(gzFile out, const struct v8_reader *r, uint64_t stack,
			 uint64_t end)
{
	struct js_scripts *scripts = js_scripts_new(16 << 20);
	struct js_frame frames[WALK_FRAMES_MAX];
	size_t count = walk_stack(r, stack, end, frames);

	for (size_t i = 0; i < count; i++) {
		const struct js_frame *f = &frames[i];
		struct js_location at;

		gzprintf(out, "frame %lx %lx %lx %lx %lx %x %x %x %x %x\n",
			 (long)f->shared, (long)f->function,
			 (long)f->bytecode_array, (long)f->code, (long)f->pc,
			 f->position, f->kind, f->leaf, f->script_id,
			 f->function_literal_id);
		if (js_frame_resolve(r->engine, r->bias, r->memory, scripts, f,
				     &at))
			fail("js_frame_resolve");
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

static pid_t start(char **arguments, FILE **output)
{
	int ends[2];
	pid_t pid;

	if (pipe(ends))
		fail("pipe");
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], 1);
		close(ends[0]);
		close(ends[1]);
		execv(arguments[0], arguments);
		fail(arguments[0]);
	}
	close(ends[1]);
	*output = fdopen(ends[0], "r");
	if (pid < 0 || !*output)
		fail("fork");
	return pid;
}

/* The engine among the files that the process maps, and its load bias. */
static void find_engine(pid_t pid, struct v8_reader *r,
			struct v8_engine *engine)
{
	struct object_registry *objects = object_registry_new();
	struct maps maps;

	if (!objects || maps_read(&maps, pid, true))
		fail("maps");
	for (size_t i = 0; i < maps.count; i++) {
		const struct mapping *m = &maps.list[i];
		struct object *o;
		uint64_t address;

		if (!m->inode ||
		    object_open(objects, open(m->path, O_RDONLY), m->path,
				&o) ||
		    v8_engine_find(o, engine) || engine->support < V8_FRAMES ||
		    !object_offset_to_address(o, m->file_offset, &address))
			continue;
		r->bias = m->start - address;
		break;
	}
	if (engine->support < V8_FRAMES)
		fail(engine->reason);
	maps_free(&maps);
	object_registry_free(objects);
}

static void stop(pid_t pid, uint64_t *stack, uint64_t *end)
{
	struct user_regs_struct registers;
	const struct mapping *m;
	struct maps maps;
	int status;

	usleep(200000); /* from the last line of output to the wait */
	if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) ||
	    ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) ||
	    waitpid(pid, &status, 0) != pid ||
	    ptrace(PTRACE_GETREGS, pid, NULL, &registers) ||
	    maps_read(&maps, pid, false))
		fail("ptrace");
	*stack = registers.rsp;
	m = maps_find(&maps, registers.rsp);
	if (!m)
		fail("no stack");
	*end = m->end;
	maps_free(&maps);
}

int main(int argc, char **argv)
{
	static struct v8_engine engine;
	static struct image image;
	struct v8_memory memory = {.read = read_and_keep, .context = &image};
	struct v8_reader reader = {&engine, 0, &memory};
	uint64_t stack, end;
	struct output told = {0};
	FILE *output;
	gzFile out;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = start(argv + 2, &output);
	read_output(output, &told);
	stop(pid, &stack, &end);
	find_engine(pid, &reader, &engine);
	out = gzopen(argv[1], "wb9");
	if (!out || v8_memory_open(&image.live, pid))
		fail(argv[1]);
	write_engine(out, &reader);
	gzputs(out, told.expected);
	write_objects(out, &told, &reader);
	write_frames(out, &reader, stack, end);
	write_blocks(out, &image);
	v8_memory_close(&image.live);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return gzclose(out) == Z_OK ? 0 : 1;
}
