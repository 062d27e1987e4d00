// SPDX-License-Identifier: GPL-2.0-only
/* Which objects the tracer refers to, and how it forgets the others: their
 * number and the room for their unwind tables are limited, and over hours
 * thousands of programs come and go. */
#include <stdlib.h>

#include "trace/tracer_internal.h"

static bool is_mapped(const struct tracee *e, const struct object *o)
{
	for (size_t i = 0; i < e->range_count; i++)
		if (e->ranges[i].object == o)
			return true;
	return false;
}

/* Takes the probes out of what a tracee has unloaded. */
static void release_unmapped(struct tracer *t, struct tracee *e)
{
	struct probe_links links = {0};
	size_t kept = 0;

	for (size_t i = 0; i < e->probed_count; i++) {
		const struct object *o = e->probed[i];

		if (is_mapped(e, o)) {
			e->probed[kept++] = o;
			continue;
		}
		probe_sets_release_object(&e->probes, o, &links);
		sites_release_object(t, e, o);
	}
	e->probed_count = kept;
	closer_take(&t->closer, &links);
}

static void mark(bool *in_use, const struct object *o)
{
	if (o)
		in_use[o->id] = true;
}

static void mark_tracee(const struct tracee *e, bool *in_use)
{
	for (size_t i = 0; i < e->range_count; i++)
		mark(in_use, e->ranges[i].object);
	for (size_t i = 0; i < e->probed_count; i++)
		mark(in_use, e->probed[i]);
	mark(in_use, e->v8.object);
	mark(in_use, e->go.object);
}

void tracer_objects_in_use(struct tracer *t, bool *in_use)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (e->alive && !e->rescan && !e->new_image)
			release_unmapped(t, e);
		mark_tracee(e, in_use);
	}
}

void tracer_each_frame(const struct tracer *t,
		       void (*each)(uint64_t frame, void *context),
		       void *context)
{
	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		const struct stack_frames *f = &t->stack_frames[id];

		for (uint32_t i = 0; i < f->depth && i < STACK_FRAMES_MAX; i++)
			each(f->frames[i], context);
	}
}

bool tracer_objects_scarce(const struct tracer *t)
{
	struct unwind_store_stats s;

	unwind_store_stats(t->unwind, &s);
	return s.rows_bytes > s.rows_bytes_max / 4 * 3 ||
	       s.rules > UNWIND_RULES_EXT_MAX / 4 * 3 ||
	       object_registry_count(t->objects) > OBJECTS_MAX / 4 * 3;
}

void tracer_forget_object(struct tracer *t, const struct object *o)
{
	sites_forget_object(t, o);
	unwind_store_drop(t->unwind, o->id);
	allocators_forget(&t->allocators, o->id);
	v8_engines_forget(&t->v8_engines, o);
}
