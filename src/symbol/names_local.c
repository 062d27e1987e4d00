/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/names_local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "leakbpf/abi_user.h"
#include "symbol/debuginfod.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"

struct names_local {
	const struct names *base;
	struct object_registry *objects;
	struct debuginfod *debuginfod; /* not owned; NULL: none */
	struct symbolizer *symbols; /* NULL: not needed yet, or not to be had */
	bool tried_symbols;
	/* By id in the capture. */
	struct object *local[OBJECTS_MAX];
	bool looked[OBJECTS_MAX];
};

struct names_local *names_local_new(const struct names *base,
				    struct debuginfod *debuginfod)
{
	struct names_local *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->base = base;
	n->debuginfod = debuginfod;
	n->objects = object_registry_new();
	if (n->objects)
		return n;
	free(n);
	return NULL;
}

void names_local_free(struct names_local *n)
{
	if (!n)
		return;
	symbolizer_free(n->symbols);
	object_registry_free(n->objects);
	free(n);
}

/* ---- Files of this machine
 * --------------------------------------------------- */

/* The path comes from somebody's capture: opening a device can do things, so
 * that is not done before it is known to be a regular file. */
static int open_regular(const char *path)
{
	CLEANUP_CLOSE int found = open(path, O_PATH | O_CLOEXEC);
	char again[64];
	struct stat st;

	if (found < 0 || fstat(found, &st) || !S_ISREG(st.st_mode))
		return -ENOENT;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
	return open(again, O_RDONLY | O_CLOEXEC);
}

/* The file, which is closed if need be, if it has this build-id. */
static struct object *take_same(struct names_local *n, int fd, const char *path,
				const struct names_object *o)
{
	struct object *found;

	if (fd < 0 || object_open(n->objects, fd, path, &found))
		return NULL;
	if (found->build_id_size != o->build_id_size ||
	    memcmp(found->build_id, o->build_id, o->build_id_size))
		return NULL;
	diag_debug("names from %s", path);
	return found;
}

static struct object *open_same(struct names_local *n, const char *path,
				const struct names_object *o)
{
	return take_same(n, open_regular(path), path, o);
}

static struct object *fetch(struct names_local *n, const struct names_object *o)
{
	const char *slash = strrchr(o->path, '/');

	if (!n->debuginfod)
		return NULL;
	return take_same(n,
			 debuginfod_open(n->debuginfod, o->build_id,
					 o->build_id_size, slash + 1),
			 o->path, o);
}

static struct object *find_local(struct names_local *n,
				 const struct names_object *o)
{
	char path[PATH_MAX] = DEBUG_DIRECTORY "/.build-id/";
	struct object *found;
	size_t at = strlen(path);

	if (o->build_id_size < 2 || o->path[0] != '/')
		return NULL;
	found = open_same(n, o->path, o);
	if (found)
		return found;
	for (uint32_t i = 0; i < o->build_id_size; i++)
		at += (size_t)snprintf(path + at, sizeof(path) - at, "%02x%s",
				       o->build_id[i], i ? "" : "/");
	snprintf(path + at, sizeof(path) - at, ".debug");
	found = open_same(n, path, o);
	return found ? found : fetch(n, o);
}

/* The frame as this machine's object has it; 0: there is none. */
static uint64_t local_frame(struct names_local *n, uint64_t frame)
{
	uint64_t id = frame >> FRAME_OBJECT_SHIFT;
	struct names_object o;

	if (id == OBJECT_NONE || id >= OBJECTS_MAX)
		return 0;
	if (!n->looked[id]) {
		n->looked[id] = true;
		if (n->base->object(n->base->context, (uint32_t)id, &o))
			n->local[id] = find_local(n, &o);
	}
	return n->local[id] ? (uint64_t)n->local[id]->id << FRAME_OBJECT_SHIFT |
				      (frame & FRAME_ADDRESS_MASK)
			    : 0;
}

/* ---- As a source of names
 * ------------------------------------------------------ */

static bool has_symbols(struct names_local *n)
{
	struct symbolizer_options options = {.debuginfod = n->debuginfod};

	if (!n->tried_symbols) {
		n->tried_symbols = true;
		n->symbols = symbolizer_new(n->objects, &options);
		if (!n->symbols)
			diag_debug("no names from this machine: %s",
				   strerror(errno));
	}
	return n->symbols != NULL;
}

/* Servers may know the lines of what only has a name. */
static bool is_wanting(const struct names_local *n, const struct symbol *s)
{
	return !s->named || (n->debuginfod && !s->script && !s->levels[0].file);
}

static int resolve(void *context, uint32_t tgid, const uint64_t *frames,
		   size_t count)
{
	struct names_local *n = context;
	CLEANUP_FREE uint64_t *wanted = calloc(count + 1, sizeof(*wanted));
	int err = n->base->resolve(n->base->context, tgid, frames, count);
	size_t found = 0;

	if (err || !wanted)
		return err ? err : -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (is_wanting(n, n->base->get(n->base->context, frames[i])) &&
		    local_frame(n, frames[i]))
			wanted[found++] = local_frame(n, frames[i]);
	if (!found || !has_symbols(n))
		return 0;
	err = symbolizer_resolve(n->symbols, 0, wanted, found);
	return err == -ENOMEM ? err : 0;
}

static const struct symbol *get(void *context, uint64_t frame)
{
	struct names_local *n = context;
	const struct symbol *s = n->base->get(n->base->context, frame), *local;
	uint64_t there = 0;

	if (n->symbols && is_wanting(n, s))
		there = local_frame(n, frame);
	if (!there)
		return s;
	local = symbolizer_get(n->symbols, there);
	return local->named && (!s->named || local->levels[0].file) ? local : s;
}

static bool object_of(void *context, uint32_t id, struct names_object *out)
{
	const struct names_local *n = context;

	return n->base->object(n->base->context, id, out);
}

static uint32_t given_up(void *context)
{
	const struct names_local *n = context;

	return n->base->objects_given_up(n->base->context);
}

struct names names_of_local(struct names_local *n)
{
	return (struct names){
		.resolve = resolve,
		.get = get,
		.object = object_of,
		.objects_given_up = given_up,
		.context = n,
	};
}
