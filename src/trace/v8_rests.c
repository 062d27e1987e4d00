// SPDX-License-Identifier: GPL-2.0-only
#include "trace/v8_rests.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"
#include "trace/window_probes.h"

/* Of the budget; window_accounts.c leaves the rest to windows. */
#define BUDGET_SHARE 0.75
#define SCALE_Q8     256

void v8_rests_start(const struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	rests_start(&e->v8_heap.rests, BUDGET_SHARE * t->options.max_overhead,
		    now_ns);
}

static bool has_probes(const struct tracee *e)
{
	return e->alive && e->v8_heap.state == V8_HEAP_FOLLOWED;
}

void v8_rests_charge(struct tracer *t, uint64_t now_ns)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (has_probes(e))
			rests_charge(&e->v8_heap.rests, now_ns,
				     e->window.samples.hit_factor *
					     e->window.meter.fresh_v8_ns);
	}
}

static void begin_rest(struct tracer *t, struct tracee *e)
{
	struct rests *r = &e->v8_heap.rests;
	struct probe_links links = {0};

	if (!(r->rested_ns > 0))
		diag_info("process %d: probes on V8's allocations cost %.1f %% "
			  "of a CPU, %.1f %% is left for them by "
			  "--max-overhead: they rest in between",
			  (int)e->pid, 100 * r->rate, 100 * r->budget.share);
	probe_sets_close(&e->v8_heap.areas, PROBES_BIRTHS, &links);
	probe_links_close(&links);
}

static void resume(struct tracer *t, struct tracee *e)
{
	const struct rests *r = &e->v8_heap.rests;
	char reason[160];
	int err;

	e->v8_heap.turn++;
	tracee_publish_target(t, e);
	diag_debug("process %d: probes on V8's allocations for %.0f ms, which "
		   "stand for %.1f times as long",
		   (int)e->pid, (double)r->turn_ns / 1e6, r->scale);
	err = probe_sets_open(&e->v8_heap.areas, e->pid, PROBES_BIRTHS);
	if (!err || err == -ESRCH)
		return;
	snprintf(reason, sizeof(reason),
		 "probes on its allocations cannot be set again: %s",
		 strerror(-err));
	v8_heap_refuse(t, e, reason);
}

static void follow(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	double dice = (double)random() / RAND_MAX;

	switch (rests_step(&e->v8_heap.rests, now_ns, dice)) {
	case RESTS_NOTHING:
		break;
	case RESTS_REST:
		begin_rest(t, e);
		break;
	case RESTS_RESUME:
		resume(t, e);
		break;
	case RESTS_RESCALE:
		tracee_publish_target(t, e);
		break;
	}
}

void v8_rests_follow(struct tracer *t, uint64_t now_ns)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (has_probes(t->tracees[i]))
			follow(t, t->tracees[i], now_ns);
}

static bool may_run_out(const struct rests *r)
{
	return !r->resting &&
	       (r->turn_ns || r->budget.credit_ns < r->budget.highest_ns / 2);
}

uint64_t v8_rests_next_look(const struct tracer *t, uint64_t soon_ns,
			    uint64_t latest_ns)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *e = t->tracees[i];
		uint64_t due = rests_due_ns(&e->v8_heap.rests);

		if (!has_probes(e))
			continue;
		if (may_run_out(&e->v8_heap.rests) && soon_ns < latest_ns)
			latest_ns = soon_ns;
		if (due && due < latest_ns)
			latest_ns = due;
	}
	return latest_ns;
}

uint32_t v8_rests_scale_q8(const struct tracee *e)
{
	return (uint32_t)lround(e->v8_heap.rests.scale * SCALE_Q8);
}
