// SPDX-License-Identifier: GPL-2.0-only
/*
 * Children of targets. A clone that shares the target's memory (vfork, or
 * CLONE_VM for good) frees and allocates for it: it is adopted. A fork has a
 * copy, also of the breakpoints, which must be taken out: they would cost it a
 * trap per call and put return probes in the way of its C++ exceptions.
 */
#include <errno.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* A clone that shares memory mostly is a vfork on its way to exec: look again
 * after this time. */
#define ADOPT_DELAY_NS 200000000ULL
/* A sweep takes some 50 ms: targets that fork all the time get one a second. */
#define SWEEP_GAP_NS 1000000000ULL

void children_note_clone(struct tracer *t, pid_t owner, pid_t child)
{
	const struct tracee *e = tracee_find(t, owner);

	if (!e || !e->alive)
		return;
	if (t->adoption_count >= ADOPTIONS_MAX) {
		diag_debug("process %d: too many clones at once", (int)owner);
		return;
	}
	t->adoptions[t->adoption_count++] = (struct adoption){
		.owner = owner,
		.child = child,
		.due_ns = monotonic_ns() + ADOPT_DELAY_NS,
	};
}

static bool same_memory(pid_t a, pid_t b)
{
	return syscall(SYS_kcmp, a, b, KCMP_VM, 0, 0) == 0;
}

/* Its own links, booked to the owner. */
static int adopt(struct tracer *t, pid_t owner, pid_t child)
{
	const struct tracee *parent = tracee_find(t, owner);
	struct tracee *e;
	int err;

	if (!parent || !parent->alive || tracee_find(t, child) ||
	    !same_memory(owner, child))
		return 0;
	e = tracee_new(t, child, parent->owner);
	if (!e)
		return -ENOMEM;
	parent = tracee_find(t, owner);
	e->ranges = calloc(parent->range_count + 1, sizeof(*e->ranges));
	if (!e->ranges)
		return -ENOMEM;
	memcpy(e->ranges, parent->ranges,
	       parent->range_count * sizeof(*e->ranges));
	e->range_count = parent->range_count;
	e->pages = parent->pages;
	e->large_blocks = parent->large_blocks;
	t->skel->bss->shared_targets++;
	err = tracee_scan(t, e);
	if (err < 0)
		return err;
	diag_debug("process %d shares the memory of %d: traced with it",
		   (int)child, (int)owner);
	return e->pages ? 0 : tracee_probe_objects(t, e);
}

static void adopt_due(struct tracer *t, uint64_t now_ns)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->adoption_count; i++) {
		struct adoption a = t->adoptions[i];

		if (now_ns < a.due_ns)
			t->adoptions[kept++] = a;
		else
			adopt(t, a.owner, a.child);
	}
	t->adoption_count = kept;
}

/* ---- Copies ---------------------------------------------------------------
 */

/* Objects whose breakpoints were copied, by id. */
struct copied {
	bool objects[OBJECTS_MAX];
};

static bool is_copied(const struct copied *c, const struct site *s)
{
	/* Shared probes are for whoever maps the file, children as well. */
	return s->users && !s->shared && c->objects[s->object->id];
}

static struct bpf_program *program_of(struct tracer *t, const struct site *s)
{
	enum link_kind link;

	return site_program(t, s->kind, &link);
}

/* Whether an earlier site has the same object and program: swept with it. */
static bool swept_before(struct tracer *t, size_t index)
{
	const struct site *s = &t->sites.list[index];

	for (size_t i = 0; i < index; i++)
		if (t->sites.list[i].users && !t->sites.list[i].shared &&
		    t->sites.list[i].object == s->object &&
		    program_of(t, &t->sites.list[i]) == program_of(t, s))
			return true;
	return false;
}

/* All sites of one object and program at once. */
static void sweep_from(struct tracer *t, size_t index,
		       struct probe_point *points, struct probe_links *passing)
{
	const struct site *first = &t->sites.list[index];
	enum link_kind link;
	struct bpf_program *program = site_program(t, first->kind, &link);
	size_t count = 0;
	int err;

	for (size_t i = index; i < t->sites.count; i++) {
		const struct site *s = &t->sites.list[i];

		points[count].counter_offset = s->plan.counter_offset;
		if (s->users && !s->shared && s->object == first->object &&
		    program_of(t, s) == program &&
		    object_address_to_offset(s->object,
					     s->address + s->plan.offset,
					     &points[count].file_offset))
			count++;
	}
	err = probe_links_sweep_forks(passing, link, bpf_program__fd(program),
				      first->object->fd, points, count);
	if (err)
		diag_debug("%s: cannot take probes out of children: %s",
			   first->object->path, strerror(-err));
}

static void find_copied(struct tracer *t, struct copied *c)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (!e->forked)
			continue;
		for (size_t n = 0; n < e->probed_count; n++)
			c->objects[e->probed[n]->id] = true;
		e->forked = false;
		if (e->alive) /* it may say so again */
			tracee_publish_target(t, e);
	}
}

static void sweep_forks(struct tracer *t)
{
	struct probe_point *points =
		calloc(t->sites.count + 1, sizeof(*points));
	struct copied *copied = calloc(1, sizeof(*copied));
	struct probe_links passing = {0};

	if (copied)
		find_copied(t, copied);
	for (size_t i = 0; points && copied && i < t->sites.count; i++)
		if (is_copied(copied, &t->sites.list[i]) && !swept_before(t, i))
			sweep_from(t, i, points, &passing);
	probe_links_close(&passing);
	free(copied);
	free(points);
}

/* Nobody watches the exit of adopted processes. */
static void remove_dead(struct tracer *t)
{
	for (size_t i = 0; i < t->tracee_count;) {
		struct tracee *e = t->tracees[i];

		if (!e->process && kill(e->pid, 0) && errno == ESRCH)
			tracee_remove(t, e);
		else
			i++;
	}
}

void children_follow(struct tracer *t, uint64_t now_ns)
{
	adopt_due(t, now_ns);
	remove_dead(t);
	if (!t->forked || now_ns - t->swept_ns < SWEEP_GAP_NS)
		return;
	t->forked = false;
	sweep_forks(t);
	t->swept_ns = monotonic_ns();
}
