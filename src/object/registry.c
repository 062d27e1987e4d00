/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects by id. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "leakbpf/abi_user.h"
#include "object/elf_file.h"
#include "object/object.h"

#define IMAGE_BYTES_MAX (1u << 20) /* a vdso has a few pages */

struct object_registry {
	struct object *objects[OBJECTS_MAX]; /* by id; 0 is never used */
	uint64_t idle_since_ns[OBJECTS_MAX]; /* 0: in use, or not known yet */
	uint32_t limit;			     /* ids are below */
	uint32_t count;
	uint32_t last_id;
	uint32_t last_serial;
};

struct object_registry *object_registry_new(void)
{
	struct object_registry *r = calloc(1, sizeof(*r));

	if (r)
		r->limit = 1;
	return r;
}

static void object_free(struct object *o)
{
	if (!o)
		return;
	if (o->fd >= 0)
		close(o->fd);
	free(o->path);
	free(o->image);
	free(o);
}

void object_registry_free(struct object_registry *r)
{
	if (!r)
		return;
	for (uint32_t id = 1; id < r->limit; id++)
		object_free(r->objects[id]);
	free(r);
}

struct object *object_by_id(const struct object_registry *r, uint32_t id)
{
	return id && id < r->limit ? r->objects[id] : NULL;
}

uint32_t object_registry_count(const struct object_registry *r)
{
	return r->count;
}

/* ---- Letting go ---------------------------------------------------------- */

uint32_t object_registry_idle(struct object_registry *r, const bool *in_use,
			      uint64_t now_ns, uint64_t idle_ns, uint32_t *ids,
			      uint32_t max)
{
	uint32_t found = 0;

	for (uint32_t id = 1; id < r->limit; id++) {
		uint64_t *since = &r->idle_since_ns[id];

		if (!r->objects[id] || in_use[id])
			*since = 0;
		else if (!*since)
			*since = now_ns;
		else if (now_ns - *since >= idle_ns && found < max)
			ids[found++] = id;
	}
	return found;
}

void object_release(struct object_registry *r, uint32_t id)
{
	if (!object_by_id(r, id))
		return;
	object_free(r->objects[id]);
	r->objects[id] = NULL;
	r->idle_since_ns[id] = 0;
	r->count--;
}

/* ---- Opening ------------------------------------------------------------ */

static struct object *object_new(const char *path)
{
	struct object *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->fd = -1;
	o->path = strdup(path);
	if (!o->path) {
		free(o);
		return NULL;
	}
	return o;
}

/* The one after the last that was given: ids rest. 0: there is none. */
static uint32_t free_id(const struct object_registry *r)
{
	for (uint32_t i = 1; i < OBJECTS_MAX; i++) {
		uint32_t id = 1 + (r->last_id + i - 1) % (OBJECTS_MAX - 1);

		if (!r->objects[id])
			return id;
	}
	return 0;
}

/* Takes `o` in every case. */
static int enroll(struct object_registry *r, struct object *o,
		  struct object **out)
{
	uint32_t id = free_id(r);

	if (!id) {
		object_free(o);
		return -ENOSPC;
	}
	o->id = r->last_id = id;
	o->serial = ++r->last_serial;
	r->objects[id] = o;
	r->count++;
	if (id >= r->limit)
		r->limit = id + 1;
	*out = o;
	return 0;
}

static struct object *find_file(struct object_registry *r,
				const struct stat *st)
{
	for (uint32_t id = 1; id < r->limit; id++) {
		struct object *o = r->objects[id];

		if (o && o->fd >= 0 && o->inode == st->st_ino &&
		    o->device == st->st_dev)
			return o;
	}
	return NULL;
}

int object_open(struct object_registry *r, int fd_taken, const char *path,
		struct object **out)
{
	CLEANUP_CLOSE int fd = fd_taken;
	struct object *o;
	struct stat st;
	int err;

	*out = NULL;
	if (fstat(fd, &st) != 0)
		return -errno;
	/* Reading a device or a pipe could block or have effects. */
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -ENOEXEC;
	*out = find_file(r, &st);
	if (*out)
		return 0;
	o = object_new(path);
	if (!o)
		return -ENOMEM;
	o->fd = TAKE_FD(fd);
	o->device = st.st_dev;
	o->inode = st.st_ino;
	o->image_size = (size_t)st.st_size;
	err = object_read_headers(o);
	if (err) {
		object_free(o);
		return err;
	}
	return enroll(r, o, out);
}

static bool same_image(const struct object *a, const struct object *b)
{
	if (!a->image || a->image_size != b->image_size)
		return false;
	if (a->build_id_size || b->build_id_size)
		return a->build_id_size == b->build_id_size &&
		       memcmp(a->build_id, b->build_id, a->build_id_size) == 0;
	return memcmp(a->image, b->image, a->image_size) == 0;
}

int object_from_memory(struct object_registry *r, const void *image,
		       size_t size, const char *name, struct object **out)
{
	struct object *o;
	int err;

	*out = NULL;
	if (!size || size > IMAGE_BYTES_MAX)
		return -ENOEXEC;
	o = object_new(name);
	if (!o)
		return -ENOMEM;
	o->is_vdso = true;
	o->image_size = size;
	o->image = malloc(size);
	if (o->image)
		memcpy(o->image, image, size);
	err = o->image ? object_read_headers(o) : -ENOMEM;
	for (uint32_t id = 1; !err && id < r->limit; id++) {
		if (!r->objects[id] || !same_image(r->objects[id], o))
			continue;
		object_free(o);
		*out = r->objects[id];
		return 0;
	}
	if (err) {
		object_free(o);
		return err;
	}
	return enroll(r, o, out);
}
