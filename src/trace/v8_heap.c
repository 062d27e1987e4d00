// SPDX-License-Identifier: GPL-2.0-only
/* Probes on V8's heap: setting them, and giving up when they tell nonsense. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"
#include "trace/v8_rests.h"

/* Collections of one kind after which its probes must have fired. */
#define COLLECTIONS_ENOUGH 2

static const struct v8_probe {
	enum v8_point point;
	uint32_t kind;
	const char *name;
} probes[] = {
	/* Collections before allocations: whatever is sampled is followed. */
	{V8_POINT_GC_BEGIN, V8_GC_BEGIN, "Heap::GarbageCollectionPrologue"},
	{V8_POINT_SCAVENGED, V8_SCAVENGED, "HandleSurvivingNewLargeObjects"},
	{V8_POINT_MARKED, V8_MARKED, "ClearNonLiveReferences"},
	{V8_POINT_EVACUATED, V8_EVACUATED, "ProcessWeakListRoots"},
	{V8_POINT_GC_END, V8_GC_END, "Heap::GarbageCollectionEpilogue"},
	{V8_POINT_TEAR_DOWN, V8_TEAR_DOWN, "Heap::TearDown"},
	{V8_POINT_SIZE_OF_OBJECTS, V8_SIZE_OF_OBJECTS, "Heap::SizeOfObjects"},
	{V8_POINT_ACCOUNT, V8_ACCOUNT, "AdvanceAllocationObservers"},
	{V8_POINT_ALLOCATE, V8_ALLOCATE, "SpaceWithLinearArea::ComputeLimit"},
	{V8_POINT_NEW_AREA, V8_ACCOUNT, "NewSpace::EnsureAllocation"},
	{V8_POINT_NEW_LIMIT, V8_ALLOCATE, "NewSpace::EnsureAllocation"},
	{V8_POINT_REFILL_LOCK, V8_REFILL_LOCK, "TryAllocationFromFreeList"},
	{V8_POINT_REFILLED, V8_REFILLED, "TryAllocationFromFreeList"},
	{V8_POINT_RESET_LAB, V8_RESET_LAB, "MainAllocator::ResetLab"},
	{V8_POINT_LARGE_PAGE, V8_LARGE_PAGE, "LargeObjectSpace::AddPage"},
};

/* Takes its samples off the books. */
static void purge(struct tracer *t, const struct tracee *e)
{
	uint64_t arguments[] = {(uint64_t)e->pid};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = arguments,
		    .ctx_size_in = sizeof(arguments));

	if (bpf_prog_test_run_opts(
		    bpf_program__fd(t->skel->progs.v8_forget_process), &opts))
		diag_warn("process %d: cannot forget its V8 heap samples: %s",
			  (int)e->pid, strerror(errno));
}

void v8_heap_take_probes(struct tracee *e, struct probe_links *links)
{
	probe_links_take(links, &e->v8_heap.links);
	probe_sets_release(&e->v8_heap.areas, links);
}

static void end_following(struct tracer *t, struct tracee *e)
{
	struct probe_links links = {0};

	v8_heap_take_probes(e, &links);
	probe_links_close(&links);
	if (e->v8_heap.state == V8_HEAP_FOLLOWED)
		purge(t, e);
}

void v8_heap_refuse(struct tracer *t, struct tracee *e, const char *reason)
{
	end_following(t, e);
	e->v8_heap.state = V8_HEAP_REFUSED;
	snprintf(e->v8_heap.reason, sizeof(e->v8_heap.reason), "%s", reason);
	diag_warn("process %d: objects on V8's heap are not followed: %s; "
		  "native memory is",
		  (int)e->pid, reason);
}

/* Where the program's own allocators alone come by. */
static int place_inside(struct tracer *t, struct tracee *e,
			const struct alloc_function *f, uint32_t offset,
			struct probe_point *point)
{
	struct probe_site plan = {
		.offset = offset,
		.emulated = true,
		.instruction = "call",
		.kind = f->kind,
	};

	return site_place_planned(t, e, e->v8.object, f, "V8's heap", false,
				  &plan, point);
}

static const char *function_name(const struct v8_engine *engine,
				 const struct v8_probe *p)
{
	if (p->point == V8_POINT_NEW_LIMIT &&
	    engine->points[p->point] != engine->points[V8_POINT_NEW_AREA])
		return "UpdateInlineAllocationLimit";
	return p->name;
}

/* One probe. Without the size of the heap there is no trend, but the rest. */
static int set_probe(struct tracer *t, struct tracee *e,
		     const struct v8_probe *p)
{
	const struct v8_engine *engine = e->v8.engine;
	struct alloc_function f = {
		.address = engine->points[p->point],
		.size = engine->points_size[p->point],
		.kind = p->kind,
	};
	bool is_return = p->point == V8_POINT_SIZE_OF_OBJECTS;
	struct bpf_program *program;
	struct probe_point point;
	enum link_kind link;
	int err;

	if (!f.address)
		return 0;
	snprintf(f.name, sizeof(f.name), "%s", function_name(engine, p));
	if (engine->points_inside[p->point])
		err = place_inside(t, e, &f, engine->points_inside[p->point],
				   &point);
	else
		err = site_place(t, e, e->v8.object, &f, "V8's heap", is_return,
				 &point);
	if (err)
		return err;
	program = site_program(t, p->kind, &link);
	if (V8_ALLOCATES(p->kind))
		return probe_sets_add(
			&e->v8_heap.areas, e->pid,
			&(struct probe_set){
				.phase = PROBES_BIRTHS,
				.object = e->v8.object,
				.program_fd = bpf_program__fd(program),
				.kind = link,
				.points = &point,
				.count = 1,
			});
	err = probe_links_add(&e->v8_heap.links, link, bpf_program__fd(program),
			      e->v8.object->fd, e->pid, is_return, &point, 1);
	if (err && is_return) {
		diag_warn("process %d: no return probe on %s: the size of V8's "
			  "heap is not known",
			  (int)e->pid, p->name);
		return 0;
	}
	return err;
}

static void set_probes(struct tracer *t, struct tracee *e)
{
	char reason[160];
	int err;

	e->v8_heap.state = V8_HEAP_FOLLOWED;
	probe_sets_init(&e->v8_heap.areas);
	v8_rests_start(t, e, monotonic_ns());
	for (size_t i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		err = set_probe(t, e, &probes[i]);
		if (!err)
			continue;
		snprintf(reason, sizeof(reason), "no probe on %s: %s",
			 probes[i].name, strerror(-err));
		v8_heap_refuse(t, e, reason);
		return;
	}
}

void v8_heap_attach(struct tracer *t, struct tracee *e)
{
	if (!e->v8.engine || e->v8_heap.state != V8_HEAP_NONE)
		return;
	if (e->v8.engine->support == V8_FRAMES_AND_HEAP)
		set_probes(t, e);
	else
		v8_heap_refuse(t, e, e->v8.engine->reason);
}

void v8_heap_forget(struct tracer *t, struct tracee *e)
{
	end_following(t, e);
	e->v8_heap = (struct v8_heap_tracking){0};
}

const char *tracer_v8_refused(const struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->pid == pid &&
		    t->tracees[i]->v8_heap.state == V8_HEAP_REFUSED)
			return t->tracees[i]->v8_heap.reason;
	return NULL;
}

/* ---- Checks ----------------------------------------------------------------
 */

/* What is wrong with a heap, NULL when nothing is. */
static const char *heap_fault(const struct v8_heap *h)
{
	if (h->other_gcs)
		return "it is collected in a way that cannot be followed "
		       "(--minor-ms)";
	if (h->scavenges >= COLLECTIONS_ENOUGH && !h->scavenged)
		return "scavenges happen, but the probe in them never fires";
	if (h->full_gcs >= COLLECTIONS_ENOUGH && (!h->marked || !h->evacuated))
		return "full collections happen, but the probes in them never "
		       "fire";
	if (h->lab_bad > 16 && h->lab_bad > h->samples / 8)
		return "its allocation areas are not where they are expected";
	if (h->page_bad > 16 && h->page_bad > h->samples / 8)
		return "its pages are not as expected";
	if (h->forward_bad > 16)
		return "its collector does not leave the forwarding addresses "
		       "expected";
	return NULL;
}

void v8_heap_follow(struct tracer *t, struct tracee *e)
{
	int fd = bpf_map__fd(t->skel->maps.v8_heaps);
	struct v8_key key, *previous = NULL;
	const char *fault = NULL;
	struct v8_heap heap;

	if (e->v8_heap.state != V8_HEAP_FOLLOWED)
		return;
	while (!fault && !bpf_map_get_next_key(fd, previous, &key)) {
		previous = &key;
		if (key.owner == (uint32_t)e->pid &&
		    !bpf_map_lookup_elem(fd, &key, &heap))
			fault = heap_fault(&heap);
	}
	if (fault)
		v8_heap_refuse(t, e, fault);
}
