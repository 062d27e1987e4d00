// SPDX-License-Identifier: GPL-2.0-only
/* The list of tracees, and what the BPF programs know of each. */
#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "trace/tracer_internal.h"
#include "trace/v8_rests.h"
#include "trace/window_costs.h"

struct tracee *tracee_find(struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->pid == pid)
			return t->tracees[i];
	return NULL;
}

struct tracee *tracee_new(struct tracer *t, pid_t pid, pid_t owner)
{
	struct tracee **grown, *e;

	if (t->tracee_count >= t->plan.targets)
		return NULL;
	grown = realloc(t->tracees, (t->tracee_count + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	t->tracees = grown;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->pid = pid;
	e->owner = owner;
	e->alive = true;
	e->image_ns = monotonic_ns();
	probe_sets_init(&e->probes);
	e->meter = meter_take(t);
	window_costs_start(t, e, monotonic_ns());
	t->tracees[t->tracee_count++] = e;
	return e;
}

/* Puts the target, or with NULL nothing, into the slot of its tgid, unless that
 * is another's. */
static void fill_slot(struct tracer *t, uint32_t tgid,
		      const struct target *target)
{
	int fd = bpf_map__fd(t->skel->maps.target_slots);
	uint32_t at = tgid & (TARGET_SLOTS - 1);
	struct target_slot slot = {0};

	if (bpf_map_lookup_elem(fd, &at, &slot) ||
	    (slot.tgid && slot.tgid != tgid))
		return;
	slot.tgid = target ? tgid : 0;
	if (target)
		slot.target = *target;
	bpf_map_update_elem(fd, &at, &slot, BPF_ANY);
}

void tracee_refresh_limit(struct tracee *e)
{
	if (e->process)
		e->throwing_size_limit = process_allocation_room(e->process);
}

void tracee_publish_target(struct tracer *t, struct tracee *e)
{
	const struct tracee *owner =
		e->owner == e->pid ? e : tracee_find(t, e->owner);
	const struct tracee *account = sharing_account(t, e);
	struct target target = {
		.owner = e->owner,
		.map_epoch = e->map_epoch,
		.rate_address = e->go.rate_address,
		.meter = e->meter,
		.shared = e->shared,
	};
	uint32_t key = e->pid;

	if (owner) {
		target.pages = owner->pages || owner->pages_beside;
		target.observed_share = account->observed_share;
		target.births_unseen = owner->births_unseen || e->waits;
		target.large_blocks = owner->large_blocks;
		target.window_ns = account->window.history.births_ns[0];
		target.throwing_size_limit = owner->throwing_size_limit;
		target.v8_turn = owner->v8_heap.turn;
		target.v8_scale_q8 = v8_rests_scale_q8(owner);
	}
	bpf_map_update_elem(bpf_map__fd(t->skel->maps.targets), &key, &target,
			    BPF_ANY);
	fill_slot(t, key, &target);
}

void tracee_forget_probes(struct tracer *t, struct tracee *e)
{
	sites_release(t, e);
	free(e->probed);
	e->probed = NULL;
	e->probed_count = 0;
}

static bool lives(const struct tracee *e)
{
	if (e->process)
		return process_alive(e->process);
	/* A service has given up the right to signal other users' processes. */
	return !kill(e->pid, 0) || errno == EPERM;
}

/* Whoever lives would go on hitting the probes, and be no target any more. */
void tracee_drop(struct tracer *t, struct tracee *e)
{
	struct probe_links links = {0};
	uint32_t key = e->pid;

	probe_sets_release(&e->probes, &links);
	v8_heap_take_probes(e, &links);
	if (!t->closing && lives(e))
		probe_links_close(&links);
	else
		closer_take(&t->closer, &links);
	fill_slot(t, key, NULL);
	bpf_map_delete_elem(bpf_map__fd(t->skel->maps.targets), &key);
	tracee_forget_probes(t, e);
	if (!t->closing)
		range_maps_forget(&t->range_maps, e->pid);
	v8_forget(t, e);
	if (e->owner != e->pid && t->skel->bss->shared_targets)
		t->skel->bss->shared_targets--;
	meter_give_back(t, e->meter);
	e->meter = 0;
	e->shared = 0;
	e->alive = false;
}

void tracee_remove(struct tracer *t, struct tracee *e)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		if (t->tracees[i] != e)
			continue;
		t->tracees[i] = t->tracees[--t->tracee_count];
		break;
	}
	if (e->alive)
		tracee_drop(t, e);
	free(e->ranges);
	free(e);
}

enum diag_level tracee_level(const struct tracee *e)
{
	return e->quiet ? DIAG_DEBUG : DIAG_ERROR;
}
