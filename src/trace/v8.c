// SPDX-License-Identifier: GPL-2.0-only
/* Which V8 a tracee runs, if any. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* Line starts and names of scripts, per process. */
#define SCRIPTS_BYTES_MAX (8u << 20)

/* ---- Engines ------------------------------------------------------------ */

/* NULL when the object has none. */
static struct v8_engine *engine_read(const struct object *o)
{
	struct v8_engine *engine = malloc(sizeof(*engine));
	int err = engine ? v8_engine_find(o, engine) : -ENOMEM;

	if (err)
		diag_debug("%s: cannot look for V8: %s", o->path,
			   strerror(-err));
	if (!err && engine->support != V8_ABSENT)
		return engine;
	free(engine);
	return NULL;
}

static const struct v8_engine *engine_of(struct tracer *t,
					 const struct object *o)
{
	struct v8_engines *all = &t->v8_engines;
	struct v8_object *grown;

	for (size_t i = 0; i < all->count; i++)
		if (all->list[i].object == o)
			return all->list[i].engine;
	grown = realloc(all->list, (all->count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	all->list = grown;
	all->list[all->count] = (struct v8_object){o, engine_read(o)};
	return all->list[all->count++].engine;
}

void v8_engines_forget(struct v8_engines *all, const struct object *o)
{
	for (size_t i = 0; i < all->count; i++) {
		if (all->list[i].object != o)
			continue;
		free(all->list[i].engine);
		all->list[i] = all->list[--all->count];
		return;
	}
}

void v8_engines_free(struct v8_engines *engines)
{
	for (size_t i = 0; i < engines->count; i++)
		free(engines->list[i].engine);
	free(engines->list);
	*engines = (struct v8_engines){0};
}

/* ---- Tracees ------------------------------------------------------------ */

static bool knows_frames(const struct v8_engine *engine)
{
	return engine->support == V8_FRAMES ||
	       engine->support == V8_FRAMES_AND_HEAP;
}

static int prepare(struct tracee *e)
{
	struct v8_tracee *v = &e->v8;
	int err;

	if (v->scripts)
		return 0;
	v->scripts = js_scripts_new(SCRIPTS_BYTES_MAX);
	err = v->scripts ? v8_memory_open(&v->memory, e->pid) : -ENOMEM;
	if (err) {
		js_scripts_free(v->scripts);
		v->scripts = NULL;
	}
	return err;
}

static void publish(struct tracer *t, struct tracee *e)
{
	struct v8_process process = {0};
	uint32_t key = e->pid;

	if (prepare(e))
		return;
	v8_memory_begin(&e->v8.memory);
	/* Fails when V8 is not set up yet: tried again with every tick. */
	if (v8_engine_bind(e->v8.engine, &e->v8.memory, e->v8.bias,
			   &process.layout))
		return;
	if (bpf_map_update_elem(bpf_map__fd(t->skel->maps.v8_processes), &key,
				&process, BPF_ANY))
		return;
	e->v8.published = true;
	t->skel->bss->v8_present = 1;
	if (t->options.v8_found)
		t->options.v8_found(t->options.context, e->v8.object,
				    e->v8.engine);
}

static void find_engine(struct tracer *t, struct tracee *e)
{
	for (size_t i = 0; i < e->range_count && !e->v8.engine; i++) {
		const struct object *o = e->ranges[i].object;

		if (!o || o->is_vdso || !tracee_bias(e, o, &e->v8.bias))
			continue;
		e->v8.engine = engine_of(t, o);
		e->v8.object = o;
	}
	if (e->v8.engine && !knows_frames(e->v8.engine))
		diag_warn("process %d: %s; JavaScript frames stay without "
			  "names",
			  (int)e->pid, e->v8.engine->reason);
}

void v8_find(struct tracer *t, struct tracee *e)
{
	if (!t->options.v8 || e->owner != e->pid)
		return;
	if (!e->v8.engine)
		find_engine(t, e);
	if (e->v8.engine && knows_frames(e->v8.engine) && !e->v8.published)
		publish(t, e);
}

void v8_forget(struct tracer *t, struct tracee *e)
{
	uint32_t key = e->pid;

	if (e->v8.published)
		bpf_map_delete_elem(bpf_map__fd(t->skel->maps.v8_processes),
				    &key);
	if (e->v8.scripts)
		v8_memory_close(&e->v8.memory);
	js_scripts_free(e->v8.scripts);
	e->v8 = (struct v8_tracee){0};
}
