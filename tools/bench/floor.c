/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The traps alone: the probes that leakbpf would set in an allocator, at the
 * same instructions and with the same kinds of links, but with programs that do
 * nothing. What is left then is the kernel's price for the probes, under which
 * no program can come.
 *
 *     floor PID FILE decline|return
 *
 * FILE is the allocator's, as PID maps it. "decline" spares the return traps,
 * as default sampling does for nearly every call; "return" takes them all, as
 * recording every block does. Says "ready" when the probes are set; they go
 * away with the end of standard input.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/types.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/catalogue.h"
#include "probe/feature_lab.h"
#include "probe/site.h"

#define CODE_BYTES 4096
#define POINTS_MAX 64

struct points {
	struct probe_point list[POINTS_MAX];
	size_t count;
};

static int plan(const struct object *o, const struct alloc_function *f,
		struct points *points)
{
	uint8_t code[CODE_BYTES];
	struct probe_site site;
	uint64_t offset;
	size_t size = f->size && f->size < CODE_BYTES ? f->size : CODE_BYTES;

	if (points->count == POINTS_MAX ||
	    !object_address_to_offset(o, f->address, &offset) ||
	    object_read(o, offset, code, size) ||
	    site_plan(code, size, f->address, f->kind, &site))
		return -1;
	points->list[points->count++] =
		(struct probe_point){.file_offset = offset + site.offset};
	return 0;
}

static int attach(struct lab *lab, const struct object *o, pid_t pid,
		  const char *program, enum link_kind kind,
		  const struct points *points)
{
	struct lab_program *p;
	int error = lab_load(lab, program, kind, &p);

	return error ? error
		     : probe_links_add(&lab->links, kind, p->fd, o->fd, pid,
				       false, points->list, points->count);
}

static int set_probes(struct lab *lab, const struct object *o, pid_t pid,
		      const char *session_program)
{
	struct catalogue_options options = {0};
	struct alloc_functions functions;
	struct points allocs = {0}, frees = {0};
	int error = catalogue_find(o, &options, &functions);

	for (size_t i = 0; !error && i < functions.count; i++) {
		const struct alloc_function *f = &functions.list[i];

		error = plan(o, f, f->kind == FREE_POINTER ? &frees : &allocs);
	}
	alloc_functions_free(&functions);
	if (!error)
		error = attach(lab, o, pid, "do_nothing", LINK_MULTI, &frees);
	if (!error)
		error = attach(lab, o, pid, session_program, LINK_SESSION,
			       &allocs);
	return error;
}

int main(int argc, char **argv)
{
	struct object_registry *registry = object_registry_new();
	struct object *object;
	struct lab lab;
	int error;

	if (argc != 4 || !registry || lab_open(&lab))
		return 2;
	error = object_open(registry, open(argv[2], O_RDONLY | O_CLOEXEC),
			    argv[2], &object);
	if (!error)
		error = set_probes(&lab, object, atoi(argv[1]),
				   strcmp(argv[3], "return") ? "decline_return"
							     : "do_nothing");
	if (error) {
		fprintf(stderr, "floor: %s\n", strerror(-error));
	} else {
		puts("ready");
		fflush(stdout);
		while (getchar() != EOF)
			;
	}
	lab_close(&lab);
	object_registry_free(registry);
	return error != 0;
}
