/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/forgetting.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/number_set.h"

#define GAP_NS 5000000000ULL
/* A program that is started again soon is not indexed anew. */
#define IDLE_NS 60000000000ULL
/* Where there is no room: longer than a walk through it may last. */
#define IDLE_SCARCE_NS 3000000000ULL

/* ---- What is in use --------------------------------------------------------
 */

typedef void (*frame_fn)(uint64_t frame, void *context);

/* Those of the kernel, and those of the last report. */
static void each_frame(struct reporting *r, frame_fn each, void *context)
{
	size_t count;
	const struct profile_stack *const *stacks =
		profile_sorted(r->profile, PROFILE_BY_ALLOC, &count);

	tracer_each_frame(r->tracer, each, context);
	for (size_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < stacks[i]->depth; k++)
			each(stacks[i]->frames[k], context);
}

static void mark_object(uint64_t frame, void *context)
{
	object_mark(context, frame);
}

static void add_frame(uint64_t frame, void *context)
{
	number_set_add(context, frame);
}

/* ---- Objects ------------------------------------------------------------- */

struct gone {
	uint32_t ids[OBJECTS_MAX];
	uint32_t count;
	bool is[OBJECTS_MAX];
};

static void find_gone(struct reporting *r, uint64_t now_ns, struct gone *gone)
{
	bool in_use[OBJECTS_MAX] = {false};

	tracer_objects_in_use(r->tracer, in_use);
	each_frame(r, mark_object, in_use);
	gone->count = object_registry_idle(
		r->objects, in_use, now_ns,
		tracer_objects_scarce(r->tracer) ? IDLE_SCARCE_NS : IDLE_NS,
		gone->ids, OBJECTS_MAX);
	for (uint32_t i = 0; i < gone->count; i++)
		gone->is[gone->ids[i]] = true;
}

/* Whoever remembers an object by its id first. */
static void forget_objects(struct reporting *r, const struct gone *gone)
{
	if (!gone->count || symbolizer_forget(r->symbols, gone->is, NULL, NULL))
		return;
	js_names_forget_objects(r->js_names, gone->is);
	if (r->capture)
		capture_forget_objects(r->capture, gone->is);
	for (uint32_t i = 0; i < gone->count; i++) {
		uint32_t id = gone->ids[i];

		tracer_forget_object(r->tracer, object_by_id(r->objects, id));
		object_release(r->objects, id);
	}
}

/* ---- Names --------------------------------------------------------------- */

struct names_in_use {
	struct number_set frames;
	const struct js_names *js_names;
};

/* JavaScript may have been learnt of stacks that are in no report yet. */
static bool is_wanted(uint64_t frame, void *context)
{
	const struct names_in_use *n = context;

	return FRAME_IS_JS(frame) ? js_names_knows(n->js_names, frame)
				  : number_set_has(&n->frames, frame);
}

static void forget_names(struct reporting *r)
{
	static const bool no_object[OBJECTS_MAX];
	bool js_full = js_names_is_full(r->js_names);
	struct names_in_use n = {.js_names = r->js_names};

	if (!js_full && !symbolizer_is_full(r->symbols))
		return;
	each_frame(r, add_frame, &n.frames);
	number_set_sort(&n.frames);
	if (!n.frames.failed) {
		if (js_full && !js_names_forget(r->js_names, &n.frames))
			tracer_retell_js_frames(r->tracer);
		symbolizer_forget(r->symbols, no_object, is_wanted, &n);
	}
	number_set_free(&n.frames);
}

void forget_unused(struct reporting *r)
{
	uint64_t now_ns = monotonic_ns();
	struct gone *gone;

	if (now_ns - r->forgot_ns < GAP_NS)
		return;
	r->forgot_ns = now_ns;
	gone = calloc(1, sizeof(*gone));
	if (gone) {
		find_gone(r, now_ns, gone);
		forget_objects(r, gone);
	}
	free(gone);
	forget_names(r);
}
