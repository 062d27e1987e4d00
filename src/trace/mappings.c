// SPDX-License-Identifier: GPL-2.0-only
/*
 * Following the executable mappings of a tracee: new objects are opened and
 * their unwind tables compiled, then all ranges are published at once under a
 * new epoch (which also empties the BPF programs' address cache for it).
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* The kernel caps a process at 65530 mappings; the BPF search covers 4096. */
#define RANGES_MAX     4095
#define VDSO_BYTES_MAX (64 * 1024)

static const struct object *open_vdso(struct tracer *t, struct tracee *e,
				      const struct mapping *m)
{
	size_t size = m->end - m->start;
	struct object *o = NULL;
	void *image;

	if (size > VDSO_BYTES_MAX || !e->process)
		return NULL;
	image = malloc(size);
	if (image &&
	    process_read(e->process, m->start, image, size) == (ssize_t)size)
		object_from_memory(t->objects, image, size, "[vdso]", &o);
	free(image);
	return o;
}

static const struct object *open_object(struct tracer *t, struct tracee *e,
					const struct mapping *m)
{
	struct object *o = NULL;
	int fd, err;

	if (!strcmp(m->path, "[vdso]"))
		return open_vdso(t, e, m);
	if (!m->inode || !e->process)
		return NULL;
	fd = process_open_mapping(e->process, m);
	if (fd < 0) {
		diag_debug("%s: cannot open: %s", m->path, strerror(-fd));
		return NULL;
	}
	err = object_open(t->objects, fd, m->path, &o);
	if (err == -ENOSPC)
		t->objects_lost++;
	else if (err)
		diag_warn("%s: %s; its frames stay without names", m->path,
			  err == -ENOEXEC ? "malformed or foreign ELF file"
					  : strerror(-err));
	return o;
}

static const struct tracee_range *known_range(const struct tracee *e,
					      const struct mapping *m)
{
	for (size_t i = 0; i < e->range_count; i++) {
		const struct tracee_range *r = &e->ranges[i];

		if (r->start == m->start && r->end == m->end &&
		    r->device == m->device && r->inode == m->inode &&
		    r->file_offset == m->file_offset)
			return r;
	}
	return NULL;
}

/* Marks for the allocation functions and the code behind them, so that a call
 * from one to another is recognised as nested. Not for those that are left
 * alone: what they call is the only place where their blocks are seen. */
static int allocator_marks(const struct tracer *t, const struct object *o,
			   struct unwind_mark **marks, size_t *count)
{
	struct catalogue_options opt = {0};
	struct alloc_functions f = {0};
	struct unwind_mark *list = NULL;
	size_t n = 0;
	int err = catalogue_find(o, &opt, &f);

	if (!err && f.count) {
		list = calloc(f.count + f.internal_count, sizeof(*list));
		if (!list)
			err = -ENOMEM;
	}
	for (size_t i = 0; list && i < f.count; i++) {
		if (!tracer_may_probe(t, &f.list[i]))
			continue;
		list[n++] = (struct unwind_mark){
			.start = f.list[i].address,
			.end = f.list[i].address +
			       (f.list[i].size ? f.list[i].size : 1),
		};
	}
	for (size_t i = 0; list && i < f.internal_count; i++)
		list[n++] = (struct unwind_mark){.start = f.internals[i].start,
						 .end = f.internals[i].end};
	alloc_functions_free(&f);
	*marks = list;
	*count = n;
	return err;
}

/* A stripped Go program has no CFI; its frames have frame pointers, and end in
 * known functions. */
static int go_marks(const struct object *o, struct unwind_mark **marks,
		    size_t *count)
{
	struct go_runtime g;
	const char *reason;
	int err = go_runtime_find(o, &g, &reason);

	*count = 0;
	*marks = NULL;
	if (err)
		return err == -ENOENT ? 0 : err;
	*marks = calloc(GO_ROOTS, sizeof(**marks));
	for (size_t i = 0; *marks && i < GO_ROOTS; i++)
		if (g.roots[i].address)
			(*marks)[(*count)++] = (struct unwind_mark){
				.start = g.roots[i].address,
				.end = g.roots[i].address + g.roots[i].size,
				.root = true,
			};
	return *marks ? 0 : -ENOMEM;
}

static int add_unwind_table(struct tracer *t, const struct object *o)
{
	struct unwind_mark *marks;
	size_t count;
	int err;

	if (unwind_store_knows(t->unwind, o->id))
		return 0;
	err = o->is_go ? go_marks(o, &marks, &count)
		       : allocator_marks(t, o, &marks, &count);
	if (!err)
		err = unwind_store_add(t->unwind, o, marks, count);
	free(marks);
	return err;
}

/* Load bias of a mapping: run-time address = link-time address + bias. */
static bool mapping_bias(const struct object *o, const struct tracee_range *r,
			 uint64_t *bias)
{
	for (uint32_t i = 0; i < o->segment_count; i++) {
		const struct object_segment *s = &o->segments[i];
		uint64_t page_start = s->file_offset & ~4095ULL;

		if (!s->executable || r->file_offset < page_start ||
		    r->file_offset >= s->file_offset + s->file_size)
			continue;
		*bias = r->start -
			(s->address + (r->file_offset - s->file_offset));
		return true;
	}
	return false;
}

bool tracee_bias(const struct tracee *e, const struct object *o, uint64_t *bias)
{
	for (size_t i = 0; i < e->range_count; i++)
		if (e->ranges[i].object == o &&
		    mapping_bias(o, &e->ranges[i], bias))
			return true;
	return false;
}

/* Without an object the range is code nobody wrote to a file: JIT. */
static void fill_exec_range(const struct tracer *t,
			    const struct tracee_range *r, struct exec_range *x)
{
	uint64_t bias;

	*x = (struct exec_range){.start = r->start, .end = r->end};
	if (!r->object || !mapping_bias(r->object, r, &bias))
		return;
	x->bias = bias;
	x->object = r->object->id;
	x->text_base = r->object->text_base;
	x->rows = unwind_store_rows(t->unwind, r->object->id);
}

static int publish(struct tracer *t, struct tracee *e)
{
	struct exec_range *ranges = calloc(e->range_count + 1, sizeof(*ranges));
	int err;

	if (!ranges)
		return -ENOMEM;
	for (size_t i = 0; i < e->range_count; i++)
		fill_exec_range(t, &e->ranges[i], &ranges[i]);
	err = range_maps_publish(&t->range_maps, e->pid, ranges,
				 e->range_count);
	free(ranges);
	if (err < 0)
		return err;
	e->waits = err > 0;
	/* Ranges first, epoch second: with the new epoch the cache is cold. */
	e->map_epoch = ++t->next_epoch;
	tracee_refresh_limit(e);
	tracee_publish_target(t, e);
	return 0;
}

/* Takes over one mapping into `fresh`. True: it was not known before. */
static bool take_mapping(struct tracer *t, struct tracee *e,
			 const struct mapping *m, struct tracee_range *fresh)
{
	const struct tracee_range *old = known_range(e, m);

	*fresh = (struct tracee_range){m->start,  m->end,   m->file_offset,
				       m->device, m->inode, NULL};
	if (old) {
		fresh->object = old->object;
		return false;
	}
	fresh->object = open_object(t, e, m);
	if (fresh->object && add_unwind_table(t, fresh->object))
		fresh->object = NULL;
	return true;
}

int tracee_scan(struct tracer *t, struct tracee *e)
{
	struct tracee_range *ranges;
	struct maps maps = {0};
	size_t count = 0;
	bool added = false;
	int err;

	e->rescan = false;
	e->rescanned_ns = monotonic_ns();
	err = maps_read(&maps, e->pid, true);
	if (err)
		return err;
	ranges = calloc(maps.count + 1, sizeof(*ranges));
	if (!ranges) {
		maps_free(&maps);
		return -ENOMEM;
	}
	for (size_t i = 0; i < maps.count && count < RANGES_MAX; i++) {
		const struct mapping *m = &maps.list[i];

		/* The area for stepped instructions is no code of its own. */
		if (!m->executable || !strcmp(m->path, "[uprobes]") ||
		    !strcmp(m->path, "[vsyscall]"))
			continue;
		added |= take_mapping(t, e, m, &ranges[count]);
		count++;
	}
	maps_free(&maps);
	added |= count != e->range_count || !e->map_epoch;
	free(e->ranges);
	e->ranges = ranges;
	e->range_count = count;
	if (!added)
		return 0;
	err = publish(t, e);
	return err ? err : 1;
}
