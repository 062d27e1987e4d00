// SPDX-License-Identifier: GPL-2.0-only
#include "trace/js_frames.h"

#include <bpf/bpf.h>
#include <stdlib.h>

#include "trace/tracer_internal.h"

/* Of one step; meanwhile other events wait. */
#define RESOLVE_NS 50000000ULL
/* Seen so often without success, a frame is left as it is. */
#define TRIES_MAX 8

void js_frames_event(struct tracer *t, const struct js_frame *frame)
{
	struct js_frames *j = &t->js_frames;

	if (!frame->tries)
		j->known++;
	if (!j->queue)
		j->queue = calloc(JS_QUEUE_MAX, sizeof(*j->queue));
	if (!j->queue || j->count == JS_QUEUE_MAX) {
		j->dropped++;
		return;
	}
	j->queue[(j->first + j->count++) % JS_QUEUE_MAX] = *frame;
}

static void mark_resolved(struct tracer *t, const struct js_frame *frame)
{
	struct js_frame_state done = {.resolved = 1};

	bpf_map_update_elem(bpf_map__fd(t->skel->maps.js_frames), &frame->frame,
			    &done, BPF_EXIST);
}

/* It may be found where it is said to be when it is seen the next time. */
static bool worth_another_try(const struct js_frame *frame,
			      const struct js_location *l)
{
	return frame->tries < TRIES_MAX &&
	       (!l->level_count || l->shortfall == JS_MOVED ||
		l->shortfall == JS_UNREADABLE);
}

/* Only where the slow path of allocation was called does the leaf's position
 * have to be guessed (v8/optimised.c): other calls have one of their own. */
static bool in_slow_path(const struct v8_engine *engine,
			 const struct js_frame *frame)
{
	return frame->leaf &&
	       v8_engine_allocates(engine, frame->callee & FRAME_ADDRESS_MASK);
}

static void resolve(struct tracer *t, const struct js_frame *seen)
{
	struct js_frame copy = *seen, *frame = &copy;
	struct tracee *e = tracee_find(t, (pid_t)frame->tgid);
	struct js_location location = {0};

	if (!e || !e->v8.published)
		return;
	copy.leaf = in_slow_path(e->v8.engine, seen);
	v8_memory_begin(&e->v8.memory);
	if (js_frame_resolve(e->v8.engine, e->v8.bias, &e->v8.memory,
			     e->v8.scripts, frame, &location))
		location.shortfall = JS_UNREADABLE;
	if (!worth_another_try(frame, &location)) {
		mark_resolved(t, seen);
		t->js_frames.shortfalls[location.shortfall]++;
		if (location.level_count && t->options.js_frame)
			t->options.js_frame(t->options.context, frame,
					    &location);
	}
	js_location_free(&location);
}

void js_frames_resolve(struct tracer *t)
{
	struct js_frames *j = &t->js_frames;
	uint64_t end = j->count ? monotonic_ns() + RESOLVE_NS : 0;

	while (j->count && monotonic_ns() < end) {
		const struct js_frame *frame = &j->queue[j->first];

		j->first = (j->first + 1) % JS_QUEUE_MAX;
		j->count--;
		resolve(t, frame);
	}
}

/* What is forgotten here is sent again when it is seen again. */
void tracer_retell_js_frames(struct tracer *t)
{
	int fd = bpf_map__fd(t->skel->maps.js_frames);
	uint32_t max = bpf_map__max_entries(t->skel->maps.js_frames);
	uint64_t key;

	for (uint32_t i = 0; i < max && !bpf_map_get_next_key(fd, NULL, &key);
	     i++)
		bpf_map_delete_elem(fd, &key);
	t->js_frames.known = 0;
}

void js_frames_tidy(struct tracer *t)
{
	uint32_t max = bpf_map__max_entries(t->skel->maps.js_frames);

	if (t->js_frames.known >= max / 4 * 3)
		tracer_retell_js_frames(t);
}
