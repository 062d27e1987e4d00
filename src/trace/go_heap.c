// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

static const uint32_t point_kinds[GO_POINT_COUNT] = {
	[GO_POINT_MALLOC] = GO_MALLOC,
	[GO_POINT_FREE_SPECIAL] = GO_FREE_SPECIAL,
	[GO_POINT_FREE] = GO_FREE,
	[GO_POINT_GC_BEGIN] = GO_GC_BEGIN,
	[GO_POINT_GC_END] = GO_GC_END,
};

/* ---- Attaching ------------------------------------------------------------
 */

static const struct object *go_object(const struct tracee *e)
{
	for (size_t i = 0; i < e->range_count; i++)
		if (e->ranges[i].object && e->ranges[i].object->is_go)
			return e->ranges[i].object;
	return NULL;
}

bool go_heap_present(const struct tracee *e)
{
	return go_object(e) != NULL;
}

static int refuse(struct tracee *e, const char *reason)
{
	snprintf(e->refusal, sizeof(e->refusal),
		 "it is a Go program, and its heap sampler cannot be followed: "
		 "%s; other probes would crash it",
		 reason);
	return -ENOTSUP;
}

static int place(struct tracer *t, struct tracee *e, const struct object *o,
		 const struct go_runtime_function *f, uint32_t kind,
		 struct probe_point *out)
{
	struct probe_site plan = {
		.offset = f->cheap_offset,
		.emulated = f->cheap_offset != 0,
		.reason = f->cheap_offset ? NULL : "no check of the stack",
		.kind = kind,
	};
	struct alloc_function function = {
		.address = f->address,
		.size = f->size,
		.kind = kind,
	};

	snprintf(function.name, sizeof(function.name), "%s", f->name);
	snprintf(plan.instruction, sizeof(plan.instruction), "%s",
		 f->cheap_offset ? "jbe" : "");
	return site_place_planned(t, e, o, &function, "Go's heap sampler",
				  false, &plan, out);
}

/* Frees before allocations: whatever is seen to come is also seen to go. */
static int link_points(struct tracer *t, struct tracee *e,
		       const struct object *o, const struct go_runtime *g)
{
	struct probe_point points[GO_POINT_COUNT];
	struct probe_set set = {.phase = PROBES_ALWAYS, .object = o};
	int err = 0;

	for (int i = 0; i < GO_POINT_COUNT && !err; i++)
		err = place(t, e, o, &g->points[i], point_kinds[i], &points[i]);
	if (err)
		return err;
	set.program_fd = bpf_program__fd(site_program(t, GO_MALLOC, &set.kind));
	set.points = points + 1;
	set.count = GO_POINT_COUNT - 1;
	err = probe_sets_add(&e->probes, e->pid, &set);
	set.points = points;
	set.count = 1;
	return err ? err : probe_sets_add(&e->probes, e->pid, &set);
}

int go_heap_attach(struct tracer *t, struct tracee *e)
{
	const struct object *o = go_object(e);
	struct go_runtime g;
	const char *reason;
	uint64_t bias;
	int err;

	if (e->go.object)
		return 0;
	err = go_runtime_find(o, &g, &reason);
	if (err == -ENOENT)
		return refuse(e, reason);
	if (!err && !g.profiled)
		return refuse(e, "runtime.MemProfile is not linked in, so Go's "
				 "linker has turned the sampler off; a program "
				 "that imports runtime/pprof or net/http/pprof "
				 "has it");
	if (!err && !tracee_bias(e, o, &bias))
		err = -ENOENT;
	if (err)
		return err;
	e->go = (struct go_tracking){
		.object = o,
		.rate_address = g.rate_address ? g.rate_address + bias : 0,
	};
	tracee_publish_target(t, e);
	err = link_points(t, e, o, &g);
	if (err == -ESRCH)
		e->alive = false;
	else if (err)
		diag(tracee_level(e), "%s: cannot set probes in process %d: %s",
		     o->path, (int)e->pid, strerror(-err));
	else
		e->has_allocator = true;
	return err;
}

/* ---- Collections -----------------------------------------------------------
 */

void go_heap_event(struct tracer *t, const struct event *event)
{
	struct tracee *e = tracee_find(t, (pid_t)event->tgid);

	if (!e || !e->go.object)
		return;
	if (event->type == EVENT_GO_GC_BEGIN)
		go_collection_begun(&e->go.collections, event->value);
	else
		go_collection_ended(&e->go.collections, event->value);
}

void go_heap_settle(struct tracer *t, struct stack_stats *stats)
{
	const struct tracee *e = tracee_find(t, (pid_t)stats->tgid);

	go_settle(stats, &t->cohorts.readable,
		  e ? go_settled_ns(&e->go.collections, monotonic_ns()) : 0);
}

bool tracer_go_heap(const struct tracer *t, pid_t pid,
		    struct tracer_go_heap *out)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *e = t->tracees[i];

		if (e->pid != pid || !e->go.object)
			continue;
		*out = (struct tracer_go_heap){
			.collections = e->go.collections.count,
			.settled_ns = go_settled_ns(&e->go.collections,
						    monotonic_ns()),
		};
		out->rate_known = e->go.rate_address && e->process &&
				  process_read(e->process, e->go.rate_address,
					       &out->rate_bytes,
					       sizeof(out->rate_bytes)) ==
					  sizeof(out->rate_bytes);
		return true;
	}
	return false;
}
