// SPDX-License-Identifier: GPL-2.0-only
/* What happens to a hit meanwhile: bpf/shared.h. */
#include "trace/shared_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

/* The allocator of the others is left alone. */
bool sharing_eligible(const struct tracee *e)
{
	return !e->own_sampler && !e->go.object;
}

bool sharing_has(const struct tracee *e, const struct object *o, bool throws)
{
	return e->alive && sharing_eligible(e) &&
	       probe_sets_have(&e->probes, o, throws);
}

/* ---- Parts ----------------------------------------------------------------
 */

struct shared_part *shared_part_find(struct tracer *t, const struct object *o,
				     bool throws)
{
	for (size_t i = 0; i < PROBES_SHARED_MAX; i++) {
		struct shared_part *p = &t->sharing.parts[i];

		if (p->object == o && p->throws == throws)
			return p;
	}
	return NULL;
}

struct shared_part *shared_part_in_use(struct tracer *t, const struct object *o,
				       bool throws)
{
	struct shared_part *p = shared_part_find(t, o, throws);

	return p && !p->over_ns ? p : NULL;
}

static size_t number_of(const struct tracer *t, const struct shared_part *p)
{
	return (size_t)(p - t->sharing.parts);
}

static uint64_t bit_of(const struct tracer *t, const struct shared_part *p)
{
	return 1ULL << number_of(t, p);
}

static struct shared_part *new_part(struct tracer *t, const struct object *o,
				    bool throws)
{
	struct shared_part *p = shared_part_find(t, NULL, false);

	if (!p)
		return NULL;
	*p = (struct shared_part){.object = o, .throws = throws};
	if (!t->sharing.all->alive) {
		t->sharing.all->alive = true;
		window_start(t, t->sharing.all);
		probe_sets_init(&t->sharing.all->probes);
	}
	return p;
}

static void free_part(struct tracer *t, struct shared_part *p)
{
	*p = (struct shared_part){.object = NULL};
	for (size_t i = 0; i < PROBES_SHARED_MAX; i++)
		if (t->sharing.parts[i].object)
			return;
	t->sharing.all->alive = false;
	t->sharing.all->observed_share = 0;
	t->skel->bss->shared_births_unseen = 0;
}

static void switch_sites(struct tracer *t, const struct probe_set *set,
			 bool shared)
{
	for (size_t i = 0; i < set->count; i++) {
		uint32_t site = PROBE_COOKIE_SITE(set->points[i].cookie);

		t->sites.list[site].shared = shared;
		t->skel->bss->site_shared[site] = shared;
	}
}

static void switch_part(struct tracer *t, const struct shared_part *p,
			bool shared)
{
	const struct probe_sets *sets = &t->sharing.all->probes;

	for (size_t i = 0; i < sets->count; i++)
		if (probe_set_is_of(&sets->list[i], p->object, p->throws))
			switch_sites(t, &sets->list[i], shared);
}

/* A shared set like a tracee's, unless there is one. 0 or -errno. */
static int share_set(struct tracer *t, const struct shared_part *p,
		     const struct probe_set *set)
{
	struct probe_sets *all = &t->sharing.all->probes;
	struct probe_set copy = *set;
	int err;

	for (size_t i = 0; i < all->count; i++)
		if (probe_set_is_of(&all->list[i], set->object, set->throws) &&
		    all->list[i].program_fd == set->program_fd &&
		    all->list[i].phase == set->phase)
			return 0;
	copy.shared = false;
	copy.points = calloc(set->count, sizeof(*copy.points));
	if (!copy.points)
		return -ENOMEM;
	for (size_t i = 0; i < set->count; i++) {
		copy.points[i] = set->points[i];
		copy.points[i].cookie = PROBE_COOKIE_METERED(
			set->points[i].cookie | PROBE_SHARED << 8,
			number_of(t, p));
	}
	err = probe_sets_add(all, PROBES_OF_ALL, &copy);
	free(copy.points);
	return err;
}

static int share_sets(struct tracer *t, const struct shared_part *p,
		      const struct tracee *e)
{
	int err = 0;

	for (size_t i = 0; !err && i < e->probes.count; i++)
		if (probe_set_is_of(&e->probes.list[i], p->object, p->throws))
			err = share_set(t, p, &e->probes.list[i]);
	return err;
}

/* ---- Members --------------------------------------------------------------
 */

/* Its probes of its own are set when the shared ones are. */
static void set_phases(struct tracee *e, const bool open[PROBE_PHASES])
{
	struct probe_links links = {0};

	for (enum probe_phase p = PROBES_FREES; p < PROBE_PHASES; p++) {
		if (open[p])
			probe_sets_open(&e->probes, e->pid, p);
		else
			probe_sets_close(&e->probes, p, &links);
	}
	if (links.count)
		probe_links_close(&links);
}

static void join(struct tracer *t, struct tracee *e,
		 const struct shared_part *p)
{
	const struct tracee *all = t->sharing.all;

	if (e->shared & bit_of(t, p))
		return;
	if (!e->shared) {
		set_phases(e, all->probes.open);
		e->window.now.state = WINDOW_ALWAYS;
		e->births_unseen = false;
		if (window_is_open(&all->window))
			window_weights_begin(t, e);
	}
	e->shared |= bit_of(t, p);
	tracee_publish_target(t, e);
}

/* It has all its probes to itself again: so it has its own account. */
static void leave(struct tracer *t, struct tracee *e,
		  const struct shared_part *p)
{
	static const bool all_open[PROBE_PHASES] = {true, true, true, true};

	e->shared &= ~bit_of(t, p);
	if (!e->shared) {
		e->observed_share = 0;
		e->births_unseen = false;
		set_phases(e, all_open);
		window_start(t, e);
	}
	tracee_publish_target(t, e);
}

static void take_links(struct tracer *t, const struct shared_part *p,
		       struct probe_links *links)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (sharing_has(e, p->object, p->throws))
			probe_sets_share(&e->probes, p->object, p->throws,
					 links);
	}
}

/* ---- There and back -------------------------------------------------------
 */

void shared_part_remove(struct tracer *t, struct shared_part *p,
			struct probe_links *links)
{
	probe_sets_remove(&t->sharing.all->probes, p->object, p->throws, links);
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->shared & bit_of(t, p))
			leave(t, t->tracees[i], p);
	free_part(t, p);
}

static int set_own(struct tracer *t, const struct shared_part *p)
{
	int err = 0;

	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];
		int failed = e->alive ? probe_sets_unshare(&e->probes, e->pid,
							   p->object, p->throws)
				      : 0;

		if (failed && failed != -ESRCH)
			err = failed;
	}
	return err;
}

/* The shared ones are taken out a little later, where that does no harm; of
 * functions that may throw they go first. */
void shared_part_end(struct tracer *t, struct shared_part *p)
{
	struct probe_links links = {0};
	int err;

	if (p->throws) {
		switch_part(t, p, false);
		probe_sets_remove(&t->sharing.all->probes, p->object, true,
				  &links);
		probe_links_close(&links);
	}
	err = set_own(t, p);
	if (err)
		diag_warn("%s: cannot set probes again: %s", p->object->path,
			  strerror(-err));
	switch_part(t, p, false);
	p->over_ns = monotonic_ns();
}

int shared_part_begin(struct tracer *t, const struct object *o, bool throws)
{
	struct shared_part *p = new_part(t, o, throws);
	struct probe_links own = {0};
	int err = p ? 0 : -ENOSPC;

	if (err)
		return err;
	if (throws) {
		take_links(t, p, &own);
		probe_links_close(&own);
	}
	for (size_t i = 0; !err && i < t->tracee_count; i++)
		if (sharing_has(t->tracees[i], o, throws))
			err = share_sets(t, p, t->tracees[i]);
	if (err) {
		shared_part_end(t, p);
		return err;
	}
	for (size_t i = 0; i < t->tracee_count; i++)
		if (sharing_has(t->tracees[i], o, throws))
			join(t, t->tracees[i], p);
	switch_part(t, p, true);
	take_links(t, p, &t->sharing.leaving);
	t->sharing.leaving_ns = monotonic_ns();
	return 0;
}

int sharing_add_set(struct tracer *t, struct tracee *e,
		    const struct probe_set *set)
{
	struct probe_set copy = *set;
	struct shared_part *p =
		sharing_eligible(e)
			? shared_part_in_use(t, set->object, set->throws)
			: NULL;
	int err;

	if (!p || !set->count)
		return probe_sets_add(&e->probes, e->pid, set);
	err = share_set(t, p, set);
	if (err)
		return err;
	join(t, e, p);
	switch_part(t, p, true);
	copy.shared = true;
	return probe_sets_add(&e->probes, e->pid, &copy);
}
