// SPDX-License-Identifier: GPL-2.0-only
#include "trace/large_blocks.h"

#include <string.h>

#include "trace/tracer_internal.h"
#include "trace/window_probes.h"

/* They may cost so much of the budget, and that much CPU time at once: of
 * thousands of blocks. */
#define BUDGET_SHARE 0.25
#define CREDIT_NS    0.05e9

static bool shares_memory(const struct tracee *e, const struct tracee *other)
{
	return other->alive && other->owner == e->owner;
}

static uint64_t frame_of(const struct site *s, uint64_t offset)
{
	return (uint64_t)s->object->id << FRAME_OBJECT_SHIFT |
	       ((s->address + offset) & FRAME_ADDRESS_MASK);
}

static bool is_known(const struct tracer *t, uint64_t function)
{
	for (uint32_t i = 0; i < t->skel->bss->alloc_site_count; i++)
		if (t->skel->bss->alloc_sites[i].function == function)
			return true;
	return false;
}

/* The programs find a walk's malloc by these. */
static void publish_sites(struct tracer *t, const struct tracee *e)
{
	for (size_t i = 0; i < e->sites.count; i++) {
		const struct site *s = &t->sites.list[e->sites.list[i]];
		uint32_t n = t->skel->bss->alloc_site_count;
		struct alloc_site at = {frame_of(s, 0),
					frame_of(s, s->plan.offset)};

		if (s->kind >= FREE_POINTER || n == ALLOC_SITES_MAX ||
		    is_known(t, at.function))
			continue;
		t->skel->bss->alloc_sites[n] = at;
		__atomic_store_n(&t->skel->bss->alloc_site_count, n + 1,
				 __ATOMIC_RELEASE);
	}
}

static int probe_maps(struct tracer *t, struct tracee *e)
{
	int err = 0;

	for (size_t i = 0; !err && i < e->probed_count; i++)
		err = tracee_probe_maps(t, e, e->probed[i]);
	return err;
}

static void end(struct tracer *t, struct tracee *e)
{
	struct probe_links links = {0};

	for (size_t i = 0; i < t->tracee_count; i++) {
		if (!shares_memory(e, t->tracees[i]))
			continue;
		t->tracees[i]->large_blocks = false;
		probe_sets_close(&t->tracees[i]->probes, PROBES_MAPS, &links);
	}
	probe_links_close(&links);
	e->large_blocks_refused = e->large_blocks_dropped = true;
	window_publish(t, e);
}

void large_blocks_tidy(struct tracer *t, struct tracee *e)
{
	if (!e->large_blocks_dropped)
		return;
	e->large_blocks_dropped = false;
	regions_drop_process(t->regions, (uint32_t)e->pid);
}

void large_blocks_follow(struct tracer *t, struct tracee *e)
{
	int err = 0;

	/* Of many that share probes the accounts of maps are not kept apart. */
	if (e->large_blocks || e->large_blocks_refused || e == t->sharing.all)
		return;
	if (!t->regions)
		__atomic_store_n(&t->regions, regions_new(t->plan.regions),
				 __ATOMIC_RELEASE);
	if (!t->regions)
		return;
	budget_start(&e->window.maps, BUDGET_SHARE * t->options.max_overhead,
		     CREDIT_NS, CREDIT_NS, monotonic_ns());
	publish_sites(t, e);
	for (size_t i = 0; i < t->tracee_count; i++) {
		if (!shares_memory(e, t->tracees[i]))
			continue;
		if (!err && !t->options.memory_maps)
			err = probe_maps(t, t->tracees[i]);
		t->tracees[i]->large_blocks = true;
	}
	window_publish(t, e);
	if (!err)
		return;
	diag_debug("process %d: large blocks are only seen in windows: %s",
		   (int)e->pid, strerror(-err));
	end(t, e);
}

void large_blocks_charge(struct tracer *t, struct tracee *e, uint64_t now_ns,
			 double spent_ns)
{
	struct budget *b = &e->window.maps;

	if (!e->large_blocks || t->options.memory_maps)
		return;
	budget_charge(b, now_ns, spent_ns);
	if (b->credit_ns >= 0)
		return;
	diag_info("process %d maps memory all the time: following its large "
		  "blocks costs more than %.1f %% of a CPU; they are only seen "
		  "in windows like all others",
		  (int)e->pid, 100 * b->share);
	end(t, e);
}

size_t large_blocks_targets(const struct tracer *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		count += t->tracees[i]->alive && t->tracees[i]->process &&
			 t->tracees[i]->large_blocks;
	return count;
}
