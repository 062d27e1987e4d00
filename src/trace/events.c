// SPDX-License-Identifier: GPL-2.0-only
/* Events of the ring buffer: what the BPF programs ask the loader to do. */
#include "trace/tracer_internal.h"

static void handle_exec(struct tracer *t, pid_t pid)
{
	struct tracee *e = tracee_find(t, pid);

	if (!e || !e->alive)
		return;
	e->new_image = true;
	t->changed = true;
	if (t->options.started)
		t->options.started(t->options.context, pid);
}

static void note_fork(struct tracer *t, pid_t pid)
{
	struct tracee *e = tracee_find(t, pid);

	if (!e)
		return;
	e->forked = true;
	t->forked = true;
}

static void handle_maps_changed(struct tracer *t, pid_t pid)
{
	struct tracee *e = tracee_find(t, pid);

	if (e)
		e->rescan = true;
}

int tracer_handle_event(void *context, void *data, size_t size)
{
	struct tracer *t = context;
	const struct event *e = data;

	if (size < sizeof(*e))
		return 0;
	switch (e->type) {
	case EVENT_MAPS_CHANGED:
		handle_maps_changed(t, e->tgid);
		break;
	case EVENT_EXEC:
		handle_exec(t, e->tgid);
		break;
	case EVENT_SHARES_MEMORY:
		children_note_clone(t, e->tgid, e->value);
		break;
	case EVENT_FORKED:
		note_fork(t, e->tgid);
		break;
	case EVENT_STARTED:
		if (t->options.started)
			t->options.started(t->options.context, (pid_t)e->tgid);
		break;
	case EVENT_TABLE_PRESSURE:
		t->pressure = true;
		break;
	case EVENT_JS_FRAME:
		if (size >= sizeof(struct js_frame_event))
			js_frames_event(
				t, &((const struct js_frame_event *)e)->frame);
		break;
	case EVENT_V8_FULL_GC:
		v8_heap_collected(t, e->tgid, e->value);
		break;
	case EVENT_V8_HEAP_GONE:
		v8_heap_gone(t, e->tgid, e->value);
		break;
	case EVENT_GO_GC_BEGIN:
	case EVENT_GO_GC_END:
		go_heap_event(t, e);
		break;
	case EVENT_MAP:
		if (t->regions && size >= sizeof(struct map_event))
			regions_apply(t->regions, data);
		break;
	}
	return 0;
}
