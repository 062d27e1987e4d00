// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_costs.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "trace/tracer_internal.h"

uint32_t meter_take(struct tracer *t)
{
	for (uint32_t i = 1; i < METERS_MAX; i++)
		if (!t->windows.meter_used[i]) {
			t->windows.meter_used[i] = true;
			return i;
		}
	return 0;
}

void meter_give_back(struct tracer *t, uint32_t meter)
{
	t->windows.meter_used[meter] = false;
}

static void read_meter(const struct tracer *t, uint32_t meter,
		       uint64_t hits[METER_KINDS])
{
	for (uint32_t kind = 0; kind < METER_KINDS; kind++)
		hits[kind] = tracer_percpu_sum(t->skel->maps.meters,
					       meter * METER_KINDS + kind);
}

/* Of many processes all meters are read at once. */
#define MANY_TRACEES  16
#define METER_ENTRIES (METERS_MAX * METER_KINDS)

struct all_meters {
	uint64_t *values; /* by entry and processor; NULL: not read */
	size_t cpus;
};

static void read_all_meters(const struct tracer *t, struct all_meters *all)
{
	int fd = bpf_map__fd(t->skel->maps.meters);
	int cpus = libbpf_num_possible_cpus();
	uint32_t *keys, count = METER_ENTRIES, next;

	*all = (struct all_meters){.cpus = cpus > 0 ? (size_t)cpus : 0};
	if (t->tracee_count < MANY_TRACEES || !all->cpus)
		return;
	keys = malloc(METER_ENTRIES * sizeof(*keys));
	all->values = calloc(METER_ENTRIES * all->cpus, sizeof(*all->values));
	if (!keys || !all->values ||
	    (bpf_map_lookup_batch(fd, NULL, &next, keys, all->values, &count,
				  NULL) &&
	     errno != ENOENT) ||
	    count != METER_ENTRIES) {
		free(all->values);
		all->values = NULL;
	}
	free(keys);
}

static void find_meter(const struct tracer *t, const struct all_meters *all,
		       uint32_t meter, uint64_t hits[METER_KINDS])
{
	if (!all->values) {
		read_meter(t, meter, hits);
		return;
	}
	for (uint32_t kind = 0; kind < METER_KINDS; kind++) {
		const uint64_t *v =
			all->values + (meter * METER_KINDS + kind) * all->cpus;

		hits[kind] = 0;
		for (size_t cpu = 0; cpu < all->cpus; cpu++)
			hits[kind] += v[cpu];
	}
}

/* A hit costs more, the more processes share the probes (sites.h). */
static double hit_ns_of(const struct tracer *t, const struct tracee *e)
{
	uint64_t most = 0;

	for (size_t i = 0; i < e->sites.count; i++) {
		uint64_t ns = site_others_ns(&t->sites.list[e->sites.list[i]]);

		if (ns > most)
			most = ns;
	}
	return (double)(tracer_hit_ns(t) + most);
}

/* Its new hits, to those of the process whose memory it is. */
static void add_hits(struct tracer *t, struct tracee *e,
		     const struct all_meters *meters)
{
	struct tracee *owner =
		e->owner == e->pid ? e : tracee_find(t, e->owner);
	uint64_t now[METER_KINDS], *before = e->window.meter.hits;
	double new[METER_KINDS], hit_ns = hit_ns_of(t, e);
	struct progress_sample *fresh;

	if (!owner || !e->meter)
		return;
	find_meter(t, meters, e->meter, now);
	for (int kind = 0; kind < METER_KINDS; kind++)
		new[kind] = (double)(now[kind] - before[kind]);
	fresh = &owner->window.meter.fresh;
	fresh->alloc_ns += hit_ns * new[METER_ALLOC];
	fresh->free_ns += hit_ns * new[METER_FREE];
	fresh->other_ns +=
		hit_ns * (new[METER_MAPS] + new[METER_V8] + new[METER_OTHER]);
	fresh->frees += new[METER_FREE];
	owner->window.meter.fresh_maps_ns += hit_ns * new[METER_MAPS];
	owner->window.meter.fresh_v8_ns += hit_ns * new[METER_V8];
	memcpy(before, now, sizeof(now));
}

static void read_cpu(struct tracee *e, uint64_t now_ns)
{
	struct window_meter *m = &e->window.meter;
	double cpu_ns;

	if (!e->process)
		return;
	m->fresh.wall_ns = (double)(now_ns - m->read_ns);
	m->read_ns = now_ns;
	cpu_ns = (double)process_cpu_ns(e->process);
	if (cpu_ns < m->cpu_ns)
		return;
	m->fresh.cpu_ns = cpu_ns - m->cpu_ns;
	m->cpu_ns = cpu_ns;
}

/* By probed frees. */
static void share_out_ends(struct tracer *t, double samples)
{
	double sum = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		sum += t->tracees[i]->window.meter.fresh.free_ns;
	for (size_t i = 0; sum > 0 && i < t->tracee_count; i++) {
		struct progress_sample *p = &t->tracees[i]->window.meter.fresh;

		p->sample_ns = samples * p->free_ns / sum;
	}
}

/* Samples are taken, and returns probed, in allocations: each target's part is
 * by these. Where only frees are probed, samples end. */
static void share_out_samples(struct tracer *t)
{
	struct windows *w = &t->windows;
	uint64_t sample_ns = tracer_sample_ns(t);
	uint64_t return_ns = tracer_return_ns(t);
	double samples = (double)(sample_ns - w->sample_ns), sum = 0;
	double returns = (double)(return_ns - w->return_ns);

	w->sample_ns = sample_ns;
	w->return_ns = return_ns;
	for (size_t i = 0; i < t->tracee_count; i++)
		sum += t->tracees[i]->window.meter.fresh.alloc_ns;
	if (!(sum > 0)) {
		share_out_ends(t, samples);
		return;
	}
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct progress_sample *p = &t->tracees[i]->window.meter.fresh;
		double part = p->alloc_ns / sum;

		p->sample_ns = samples * part;
		p->return_ns = returns * part;
		p->alloc_ns += p->return_ns;
	}
}

/* Who touched them is not told apart. */
static void share_out_pages(struct tracer *t)
{
	uint64_t now_ns, spent;
	size_t count = unseen_growth_targets(t);

	if (!count)
		return;
	now_ns = tracer_pages_ns(t);
	spent = now_ns - t->windows.pages_ns;
	t->windows.pages_ns = now_ns;
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->pages_beside)
			t->tracees[i]->window.meter.fresh_pages_ns =
				(double)spent / (double)count;
}

void window_costs_start(struct tracer *t, struct tracee *e, uint64_t now_ns)
{
	struct window_meter *m = &e->window.meter;

	m->read_ns = now_ns;
	m->cpu_ns = e->process ? (double)process_cpu_ns(e->process) : 0;
	read_meter(t, e->meter, m->hits);
}

/* What each of many did between two looks is left to the scheduler, and the
 * dearest would be another one each time: its part is taken over so much time
 * with probes. */
#define LARGEST_NS 2e9

static double remember(double *recent_ns, double fresh_ns, double wall_ns)
{
	*recent_ns =
		*recent_ns * LARGEST_NS / (LARGEST_NS + wall_ns) + fresh_ns;
	return *recent_ns;
}

/* All that share probes, as one. */
static void sum_up(struct tracer *t)
{
	struct window *all = &t->sharing.all->window;
	struct progress_sample *sum = &all->meter.fresh;
	double most = 0, recent = 0;

	*sum = (struct progress_sample){0};
	all->meter.fresh_pages_ns = 0;
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];
		const struct progress_sample *fresh = &e->window.meter.fresh;

		if (!e->alive || !e->shared || e->owner != e->pid)
			continue;
		progress_add(sum, fresh);
		all->meter.fresh_pages_ns += e->window.meter.fresh_pages_ns;
		sum->wall_ns = fresh->wall_ns;
	}
	if (!(progress_overhead_ns(sum, 1) > 0))
		return;
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct window_meter *m = &t->tracees[i]->window.meter;
		double ns;

		if (!t->tracees[i]->alive || !t->tracees[i]->shared)
			continue;
		ns = remember(&m->recent_ns, progress_overhead_ns(&m->fresh, 1),
			      sum->wall_ns);
		most = fmax(most, ns);
		recent += ns;
	}
	if (recent > 0)
		all->cost.largest = most / recent;
}

void window_costs_read(struct tracer *t)
{
	uint64_t now_ns = monotonic_ns();
	struct all_meters meters;

	read_all_meters(t, &meters);
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct window_meter *m = &t->tracees[i]->window.meter;

		m->fresh = (struct progress_sample){0};
		m->fresh_maps_ns = m->fresh_v8_ns = m->fresh_pages_ns = 0;
	}
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (!e->alive)
			continue;
		read_cpu(e, now_ns);
		add_hits(t, e, &meters);
	}
	free(meters.values);
	share_out_samples(t);
	share_out_pages(t);
	if (t->sharing.all->alive)
		sum_up(t);
}
