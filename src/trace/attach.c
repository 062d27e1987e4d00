// SPDX-License-Identifier: GPL-2.0-only
/* Probes of a process: which functions, where in them, with which link. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* Points of one object, by the program that serves them. */
enum point_group {
	GROUP_FREE,
	GROUP_REALLOC,
	GROUP_ALLOC,
	/* The same that may throw. */
	GROUP_THROWING_REALLOC,
	GROUP_THROWING,
	GROUP_MAP,
	GROUP_LOADER,
	GROUP_USDT,
	GROUPS, /* those of V8 are set by v8_heap.c */
	GROUP_V8_ALLOCATION = GROUPS,
	GROUP_V8_SIZE,
	GROUP_V8_GC,
	GROUP_GO, /* go_heap.c */
};

struct points {
	struct probe_point *list[GROUPS];
	size_t count[GROUPS];
};

static enum point_group group_of(uint32_t kind)
{
	switch (kind) {
	case FREE_POINTER:
		return GROUP_FREE;
	case ALLOC_REALLOC:
	case ALLOC_REALLOC_COUNT:
	case ALLOC_HEAP_REALLOC:
		return GROUP_REALLOC;
	case MAP_MMAP:
	case MAP_MUNMAP:
	case MAP_MREMAP:
		return GROUP_MAP;
	case LOADER_STATE:
		return GROUP_LOADER;
	case V8_ALLOCATE:
	case V8_ACCOUNT:
	case V8_REFILL_LOCK:
	case V8_REFILLED:
	case V8_RESET_LAB:
	case V8_LARGE_PAGE:
		return GROUP_V8_ALLOCATION;
	case V8_SIZE_OF_OBJECTS:
		return GROUP_V8_SIZE;
	default:
		if (kind >= USDT_ALLOC)
			return GROUP_USDT;
		if (kind >= GO_MALLOC)
			return GROUP_GO;
		return kind > LOADER_STATE ? GROUP_V8_GC : GROUP_ALLOC;
	}
}

static enum point_group group_of_function(const struct alloc_function *f)
{
	enum point_group group = group_of(f->kind);

	if (!(f->flags & PROBE_THROWS))
		return group;
	return group == GROUP_REALLOC ? GROUP_THROWING_REALLOC : GROUP_THROWING;
}

/* Allocates, and returns what it has allocated. */
static bool is_call(enum point_group group)
{
	return group >= GROUP_REALLOC && group <= GROUP_MAP;
}

/* ---- Points ----------------------------------------------------------------
 */

bool tracer_may_probe(const struct tracer *t, const struct alloc_function *f)
{
	return !(f->flags & PROBE_THROWS) || t->link == LINK_SESSION;
}

static int add_point(struct tracer *t, struct tracee *e, const struct object *o,
		     const struct alloc_function *f,
		     const struct alloc_functions *all, struct points *points)
{
	enum point_group group = group_of_function(f);
	struct probe_point *list =
		realloc(points->list[group],
			(points->count[group] + 1) * sizeof(*list));
	int err;

	if (!list)
		return -ENOMEM;
	points->list[group] = list;
	err = site_place(t, e, o, f, all->allocator, is_call(group),
			 &list[points->count[group]]);
	if (err == -ENOEXEC) {
		diag_warn("%s: %s: cannot find a place for a probe; not traced",
			  o->path, f->name);
		return 0;
	}
	points->count[group] += !err;
	return err;
}

static int add_usdt(struct tracer *t, struct tracee *e, const struct object *o,
		    const struct usdt_probes *probes, struct points *points)
{
	struct probe_point *list = calloc(probes->count, sizeof(*list));
	int err = list ? 0 : -ENOMEM;

	points->list[GROUP_USDT] = list;
	for (size_t i = 0; i < probes->count && !err; i++) {
		err = usdt_place(t, e, o, &probes->list[i], &list[i]);
		points->count[GROUP_USDT] += !err;
	}
	return err;
}

static struct bpf_program *late_program(struct tracer *t,
					enum point_group group)
{
	const struct trace_bpf *skel =
		late_programs(t, group == GROUP_GO     ? LATE_GO
				 : group == GROUP_USDT ? LATE_USDT
				 : group == GROUP_MAP  ? LATE_MAPS
						       : LATE_V8);

	if (!skel)
		return NULL;
	switch (group) {
	case GROUP_GO:
		return skel->progs.go_heap;
	case GROUP_USDT:
		return skel->progs.usdt;
	case GROUP_MAP:
		return t->link == LINK_SESSION ? skel->progs.map_session
					       : skel->progs.map_entry;
	case GROUP_V8_ALLOCATION:
		return skel->progs.v8_allocation;
	case GROUP_V8_SIZE:
		return skel->progs.v8_size;
	default:
		return skel->progs.v8_gc;
	}
}

struct bpf_program *site_program(struct tracer *t, uint32_t kind,
				 enum link_kind *link)
{
	bool session = t->link == LINK_SESSION;

	*link = session ? LINK_MULTI : t->link;
	switch (group_of(kind)) {
	case GROUP_FREE:
		return t->skel->progs.free_entry;
	case GROUP_LOADER:
		return t->skel->progs.loader_entry;
	case GROUP_V8_ALLOCATION:
	case GROUP_V8_GC:
	case GROUP_V8_SIZE:
	case GROUP_GO:
	case GROUP_USDT:
		return late_program(t, group_of(kind));
	case GROUP_MAP:
		*link = t->link;
		return late_program(t, GROUP_MAP);
	default:
		*link = t->link;
		return session ? t->skel->progs.alloc_session
			       : t->skel->progs.alloc_entry;
	}
}

/* ---- Links -----------------------------------------------------------------
 */

static int link_group(struct tracer *t, struct tracee *e,
		      const struct object *o, const struct bpf_program *program,
		      enum link_kind kind, bool is_return,
		      const struct points *p, enum point_group group)
{
	static const enum probe_phase phases[GROUPS] = {
		[GROUP_FREE] = PROBES_FREES,
		[GROUP_REALLOC] = PROBES_FREES,
		[GROUP_ALLOC] = PROBES_BIRTHS,
		[GROUP_THROWING_REALLOC] = PROBES_FREES,
		[GROUP_THROWING] = PROBES_BIRTHS,
		[GROUP_MAP] = PROBES_MAPS,
		[GROUP_LOADER] = PROBES_ALWAYS,
		[GROUP_USDT] = PROBES_ALWAYS,
	};
	struct probe_set set = {
		.phase = phases[group],
		.object = o,
		.program_fd = bpf_program__fd(program),
		.kind = kind,
		.is_return = is_return,
		.throws = group == GROUP_THROWING_REALLOC ||
			  group == GROUP_THROWING,
		.points = p->list[group],
		.count = p->count[group],
	};

	return sharing_add_set(t, e, &set);
}

/* Functions that are probed where they are entered and where they return;
 * returns first: whatever is seen to begin is also seen to end. */
static int link_calls(struct tracer *t, struct tracee *e,
		      const struct object *o, const struct points *p,
		      enum point_group group)
{
	bool maps = group == GROUP_MAP;
	const struct bpf_program *entry, *end;
	enum link_kind kind;
	int err = 0;

	if (!p->count[group])
		return 0;
	entry = site_program(t, maps ? MAP_MMAP : ALLOC_SIZE, &kind);
	if (!entry)
		return -ENOTSUP;
	end = maps ? t->late.skel[LATE_MAPS]->progs.map_return
		   : t->skel->progs.alloc_return;
	if (kind != LINK_SESSION)
		err = link_group(t, e, o, end, kind, true, p, group);
	return err ? err : link_group(t, e, o, entry, kind, false, p, group);
}

/* Frees before allocations, for the same reason. */
static int link_points(struct tracer *t, struct tracee *e,
		       const struct object *o, const struct points *p)
{
	enum link_kind plain = t->link == LINK_PERF ? LINK_PERF : LINK_MULTI;
	int err;

	err = link_group(t, e, o, t->skel->progs.loader_entry, plain, false, p,
			 GROUP_LOADER);
	if (!err)
		err = link_group(t, e, o, t->skel->progs.free_entry, plain,
				 false, p, GROUP_FREE);
	if (!err && p->count[GROUP_USDT])
		err = link_group(t, e, o, late_program(t, GROUP_USDT), plain,
				 false, p, GROUP_USDT);
	for (enum point_group g = GROUP_REALLOC; !err && g <= GROUP_MAP; g++)
		err = link_calls(t, e, o, p, g);
	return err;
}

/* ---- Objects ----------------------------------------------------------------
 */

static bool wants_maps(const struct tracer *t, const struct tracee *e)
{
	return t->options.memory_maps || e->large_blocks;
}

static int collect_points(struct tracer *t, struct tracee *e,
			  const struct object *o, struct points *points,
			  bool *allocator)
{
	const struct allocator *a = allocator_of(&t->allocators, o);
	struct alloc_function hook = {.name = "_dl_debug_state",
				      .kind = LOADER_STATE};
	const struct alloc_functions none = {.allocator = "loader"};
	size_t skipped = 0;
	int err = a ? a->err : -ENOMEM;

	for (size_t i = 0; !err && i < a->functions.count; i++) {
		const struct alloc_function *f = &a->functions.list[i];

		bool map = group_of(f->kind) == GROUP_MAP;

		if (map ? !wants_maps(t, e) : e->own_sampler)
			continue;
		if (!tracer_may_probe(t, f) ||
		    (f->flags & PROBE_THROWS && !sharing_may_throw(t, e, o))) {
			skipped++;
			continue;
		}
		err = add_point(t, e, o, f, &a->functions, points);
		*allocator = true;
	}
	if (skipped && !e->quiet)
		diag_warn("%s: %zu function%s that may throw not traced in "
			  "process %d: that takes uprobe sessions (Linux 6.13)"
			  "%s",
			  o->path, skipped, skipped == 1 ? "" : "s",
			  (int)e->pid,
			  t->link == LINK_SESSION
				  ? " and, in more than one process, that "
				    "nearly all that map it are traced"
				  : "");
	if (!err && e->own_sampler && a->usdt.usable) {
		err = add_usdt(t, e, o, &a->usdt, points);
		*allocator = true;
	}
	if (err || !a->loader_hook)
		return err;
	hook.address = a->loader_hook;
	return add_point(t, e, o, &hook, &none, points);
}

static int probe_object(struct tracer *t, struct tracee *e,
			const struct object *o)
{
	struct points points = {0};
	bool allocator = false;
	int err;

	sharing_prepare(t, e, o);
	err = collect_points(t, e, o, &points, &allocator);
	if (!err)
		err = link_points(t, e, o, &points);
	if (err == -ESRCH)
		e->alive = false;
	else if (err)
		diag(tracee_level(e), "%s: cannot set probes in process %d: %s",
		     o->path, (int)e->pid, strerror(-err));
	else if (allocator)
		e->has_allocator = true;
	for (int g = 0; g < GROUPS; g++)
		free(points.list[g]);
	return err;
}

/* True: it has been looked at before. Else it is noted. */
static bool probed(struct tracee *e, const struct object *o)
{
	const struct object **grown;

	for (size_t i = 0; i < e->probed_count; i++)
		if (e->probed[i] == o)
			return true;
	grown = realloc(e->probed, (e->probed_count + 1) * sizeof(*grown));
	if (grown) {
		e->probed = grown;
		e->probed[e->probed_count++] = o;
	}
	return false;
}

int tracee_probe_maps(struct tracer *t, struct tracee *e,
		      const struct object *o)
{
	const struct allocator *a = allocator_of(&t->allocators, o);
	struct points points = {0};
	int err = a ? a->err : -ENOMEM;

	for (size_t i = 0; !err && i < a->functions.count; i++)
		if (group_of(a->functions.list[i].kind) == GROUP_MAP)
			err = add_point(t, e, o, &a->functions.list[i],
					&a->functions, &points);
	if (!err)
		err = link_calls(t, e, o, &points, GROUP_MAP);
	free(points.list[GROUP_MAP]);
	return err;
}

int tracee_probe_objects(struct tracer *t, struct tracee *e)
{
	int err = 0;

	if (go_heap_present(e))
		return go_heap_attach(t, e);
	if (!e->has_allocator)
		e->own_sampler = usdt_present(t, e);
	for (size_t i = 0; i < e->range_count && !err; i++) {
		const struct object *o = e->ranges[i].object;

		if (o && !o->is_vdso && !probed(e, o))
			err = probe_object(t, e, o);
	}
	return err;
}

/* ---- Processes ----------------------------------------------------------- */

bool tracee_refused(const struct tracer *t, struct tracee *e)
{
	const struct process *p = e->process;

	/* No return probes there. */
	if (go_heap_present(e))
		return false;
	if (p && p->seccomp_filter && t->features.return_probe_kills_seccomp) {
		snprintf(
			e->refusal, sizeof(e->refusal),
			"it runs under a seccomp filter, and this kernel would "
			"let it be killed at a return probe; upgrade the "
			"kernel (fixed in Linux 6.14)");
		return true;
	}
	return false;
}

/* 0; -ENOTSUP or -ENOENT and e->refusal; or another error, which is reported.
 */
static int start_probes(struct tracer *t, struct tracee *e)
{
	int err;

	e->refusal[0] = '\0';
	if (tracee_refused(t, e))
		return -ENOTSUP;
	err = tracee_probe_objects(t, e);
	if (err || e->has_allocator)
		return err;
	snprintf(e->refusal, sizeof(e->refusal),
		 "no known allocator among its %zu executable mappings",
		 e->range_count);
	return -ENOENT;
}

int tracee_follow_instead(struct tracer *t, struct tracee *e, int err)
{
	/* Of many processes nobody expects it. */
	if (e->quiet || t->options.growth == GROWTH_NEVER ||
	    !pages_possible(t)) {
		diag(tracee_level(e), "process %d (%s): %s", (int)e->pid,
		     e->process->comm, e->refusal);
		return err;
	}
	diag_warn("process %d (%s): %s; following the growth of its memory "
		  "instead, by pages (see --growth)",
		  (int)e->pid, e->process->comm, e->refusal);
	return pages_follow(t, e);
}

int tracee_start(struct tracer *t, struct tracee *e)
{
	int err;

	if (t->options.growth == GROWTH_ALWAYS)
		return pages_follow(t, e);
	err = start_probes(t, e);
	if (!err) {
		v8_heap_attach(t, e);
		window_start(t, e);
	}
	return err && *e->refusal ? tracee_follow_instead(t, e, err) : err;
}
