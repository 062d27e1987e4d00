// SPDX-License-Identifier: GPL-2.0-only
/* Reading figures out of the running tables. */
#include <bpf/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "trace/large_blocks.h"
#include "trace/tracer_internal.h"

/* What the programs do per hit besides being trapped into, roughly: the trap's
 * cost is calibrated, this is the work of an unsampled hit, ns. */
#define HIT_WORK_NS 120
/* The same of a page that is not sampled. */
#define PAGE_WORK_NS 60

size_t tracer_site_count(const struct tracer *t)
{
	return t->sites.count;
}

/* Sum over CPUs of one element of a per-CPU array of u64. */
uint64_t tracer_percpu_sum(const struct bpf_map *m, uint32_t index)
{
	uint64_t values[TRACER_CPUS_MAX] = {0}, sum = 0;
	int cpus = libbpf_num_possible_cpus();

	if (cpus < 1 || cpus > TRACER_CPUS_MAX ||
	    bpf_map_lookup_elem(bpf_map__fd(m), &index, values))
		return 0;
	for (int i = 0; i < cpus; i++)
		sum += values[i];
	return sum;
}

uint64_t tracer_counter(const struct tracer *t, enum counter counter)
{
	return tracer_percpu_sum(t->skel->maps.counters, counter);
}

void tracer_site(const struct tracer *t, size_t index, struct tracer_site *out)
{
	const struct site *s = &t->sites.list[index];

	*out = (struct tracer_site){
		.pid = s->pid,
		.processes = s->users,
		.object = s->object,
		.allocator = s->allocator,
		.function = s->function,
		.address = s->address,
		.kind = s->kind,
		.site = s->plan,
		.link = t->link == LINK_SESSION && !s->return_probe ? LINK_MULTI
								    : t->link,
		.return_probe = s->return_probe,
		.hits = site_hits(t, index),
	};
}

/* What the programs do not keep because it follows (struct stack_stats). */
static void fill_in(struct stack_stats *s)
{
	uint64_t live_bytes = 0, live_objects_q8 = 0;

	for (int i = 0; i < COHORTS; i++) {
		live_bytes += s->cohort_bytes[i];
		live_objects_q8 += s->cohort_objects_q8[i];
	}
	s->alloc_objects_q8 += s->alloc_samples << 8;
	/* What was booked while copying may be missing from the former. */
	if (live_bytes > s->alloc_bytes)
		live_bytes = s->alloc_bytes;
	if (live_objects_q8 > s->alloc_objects_q8)
		live_objects_q8 = s->alloc_objects_q8;
	s->freed_bytes = s->alloc_bytes - live_bytes;
	s->freed_objects_q8 = s->alloc_objects_q8 - live_objects_q8;
}

/* Pages of a heap whose objects are followed: those are reported instead. */
static bool maps_followed_heap(struct tracer *t, uint32_t id)
{
	const struct stack_frames *s = &t->stack_frames[id];
	const struct tracee *e = tracee_find(t, (pid_t)t->stack_stats[id].tgid);

	if (!e || e->v8_heap.state != V8_HEAP_FOLLOWED)
		return false;
	for (uint32_t i = 0; i < s->depth && i < STACK_FRAMES_MAX; i++)
		if (s->frames[i] >> FRAME_OBJECT_SHIFT == e->v8.object->id &&
		    v8_engine_maps_heap(e->v8.engine,
					s->frames[i] & FRAME_ADDRESS_MASK))
			return true;
	return false;
}

/* Pages of a target whose blocks are on the books, too. */
static bool is_beside(struct tracer *t, const struct stack_stats *s)
{
	const struct tracee *e = tracee_find(t, (pid_t)s->tgid);

	return e && e->pages_beside;
}

static bool copy_stack(struct tracer *t, uint32_t id, struct stack_stats *stats)
{
	const struct stack_stats *s = &t->stack_stats[id];

	/* The counters move while being copied: take a copy during which no
	 * sample came or went, or after a few tries the last one. */
	for (int i = 0; i < 8; i++) {
		*stats = *s;
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (stats->alloc_samples == s->alloc_samples &&
		    stats->freed_samples == s->freed_samples)
			break;
	}
	window_lives_apply(t, id, monotonic_ns(), stats);
	fill_in(stats);
	window_weights_apply(t, id, stats);
	if (stats->source == STACK_SOURCE_V8_HEAP)
		v8_survivors_apply(&t->v8_survivors, id, &t->cohorts.readable,
				   t->skel->bss->sampling.variance_shift,
				   stats);
	else if (stats->source == STACK_SOURCE_GO_HEAP)
		go_heap_settle(t, stats);
	else if (stats->source == STACK_SOURCE_GROWTH && is_beside(t, stats))
		stats->source = STACK_SOURCE_BESIDE;
	if (t->regions && !maps_followed_heap(t, id))
		regions_add_stats(t->regions, id, &t->cohorts.readable, stats);
	return stats->alloc_samples != 0;
}

void tracer_each_stack(struct tracer *t, tracer_stack_fn each, void *context)
{
	pages_check(t);
	if (t->options.v8 && v8_heap_read(t))
		diag_warn("out of memory: objects on V8's heap left out");
	for (uint32_t id = STACK_ID_OVERFLOW; id < t->plan.stacks; id++) {
		struct stack_stats stats;

		if (id != STACK_ID_OVERFLOW && !t->stack_frames[id].depth)
			continue;
		if (copy_stack(t, id, &stats))
			each(id, &t->stack_frames[id], &stats, context);
	}
}

uint64_t tracer_outstanding(const struct tracer *t, pid_t pid)
{
	int64_t sum = 0;

	for (uint32_t id = STACK_ID_FIRST; id < t->plan.stacks; id++) {
		const struct stack_stats *s = &t->stack_stats[id];

		if (s->tgid != (uint32_t)pid)
			continue;
		for (int i = 0; i < COHORTS; i++)
			sum += s->cohort_bytes[i];
	}
	return sum > 0 ? (uint64_t)sum : 0;
}

void tracer_counters(const struct tracer *t, uint64_t counters[COUNTER_COUNT])
{
	for (uint32_t i = 0; i < COUNTER_COUNT; i++)
		counters[i] = tracer_percpu_sum(t->skel->maps.counters, i);
	for (size_t i = 0; i < t->sites.count; i++) {
		uint32_t kind = t->sites.list[i].kind;
		uint64_t hits = site_hits(t, i);

		if (site_kind_frees(kind))
			counters[COUNTER_FREE_HITS] += hits;
		else if (site_kind_allocates(kind))
			counters[COUNTER_ALLOC_HITS] += hits;
	}
	counters[COUNTER_FREE_HITS] += t->sites.past.frees;
	counters[COUNTER_ALLOC_HITS] += t->sites.past.allocations;
	counters[COUNTER_PAGES_MISSED] += pages_missed(t);
}

const struct cohort_layout *tracer_cohorts(const struct tracer *t)
{
	return &t->cohorts.readable;
}

/* The kernel says in fdinfo what a map or program is charged with. */
static uint64_t fd_memory(int fd)
{
	char path[64], line[128];
	CLEANUP_FCLOSE FILE *f = NULL;
	unsigned long long bytes = 0;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "memlock: %llu", &bytes) == 1)
			break;
	return bytes;
}

static uint64_t kernel_memory(const struct tracer *t)
{
	struct unwind_store_stats unwind;
	struct bpf_map *map;
	struct bpf_program *program;
	uint64_t sum;

	unwind_store_stats(t->unwind, &unwind);
	sum = unwind.rows_bytes;
	bpf_object__for_each_map(map, t->skel->obj) sum +=
		fd_memory(bpf_map__fd(map));
	bpf_object__for_each_program(
		program, t->skel->obj) if (bpf_program__fd(program) >= 0) sum +=
		fd_memory(bpf_program__fd(program));
	return sum;
}

/* ---- Overhead --------------------------------------------------------------
 */

uint64_t tracer_hit_ns(const struct tracer *t)
{
	return t->features.entry_emulated_ns + HIT_WORK_NS;
}

uint32_t tracer_stepped_units(const struct tracer *t)
{
	uint64_t hit = tracer_hit_ns(t);

	return (uint32_t)((t->features.entry_stepped_ns + HIT_WORK_NS +
			   hit / 2) /
			  hit);
}

uint64_t tracer_sample_ns(const struct tracer *t)
{
	return tracer_percpu_sum(t->skel->maps.counters, COUNTER_SAMPLE_NS);
}

uint64_t tracer_return_ns(const struct tracer *t)
{
	return tracer_percpu_sum(t->skel->maps.counters, COUNTER_RETURN_HITS) *
	       (t->features.return_ns + HIT_WORK_NS);
}

uint64_t tracer_pages_ns(const struct tracer *t)
{
	return tracer_counter(t, COUNTER_PAGES) * PAGE_WORK_NS +
	       tracer_counter(t, COUNTER_PAGE_NS);
}

uint64_t tracer_overhead_ns(const struct tracer *t)
{
	const struct kernel_features *f = &t->features;
	uint64_t sum;

	if (t->options.max_overhead > 0)
		return (uint64_t)t->windows.spent_ns + tracer_pages_ns(t);
	sum = tracer_counter(t, COUNTER_SAMPLE_NS) + tracer_pages_ns(t) +
	      tracer_counter(t, COUNTER_RETURN_HITS) *
		      (f->return_ns + HIT_WORK_NS) +
	      t->sites.past.emulated * (f->entry_emulated_ns + HIT_WORK_NS) +
	      t->sites.past.stepped * (f->entry_stepped_ns + HIT_WORK_NS);

	for (size_t i = 0; i < t->sites.count; i++) {
		const struct site *s = &t->sites.list[i];

		sum += site_hits(t, i) *
		       (HIT_WORK_NS + site_others_ns(s) +
			(s->plan.emulated ? f->entry_emulated_ns
					  : f->entry_stepped_ns));
	}
	return sum;
}

static size_t own_samplers(const struct tracer *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		n += t->tracees[i]->own_sampler && t->tracees[i]->process;
	return n;
}

void tracer_status(const struct tracer *t, struct tracer_status *out)
{
	struct unwind_store_stats unwind;
	struct regions_stats regions = {0};
	int64_t outstanding = t->skel->bss->outstanding_count;

	unwind_store_stats(t->unwind, &unwind);
	if (t->regions)
		regions_stats(t->regions, &regions);
	*out = (struct tracer_status){
		.own_samplers = own_samplers(t),
		.sampling = t->skel->bss->sampling,
		.outstanding = outstanding > 0 ? outstanding : 0,
		.outstanding_max = t->plan.outstanding_max,
		.stacks = t->stacks_used,
		.stacks_max = t->plan.stacks,
		.kernel_memory_bytes = kernel_memory(t),
		.coarsened = t->coarsened,
		.link = t->link,
		.overhead_ns = tracer_overhead_ns(t),
		.observed_share = windows_observed_share(t, monotonic_ns()),
		.windows = t->windows.opened,
		.max_overhead = t->options.max_overhead,
		.large_blocks = large_blocks_targets(t),
		.beside = unseen_growth_targets(t),
		.objects_without_cfi = unwind.objects_without_cfi,
		.objects_unreadable = unwind.objects_refused,
		.objects_lost = t->objects_lost,
		.unwind_rows_lost = unwind.roomless_rows,
		.regions_lost = regions.lost + regions.malformed,
		.js_dropped = t->js_frames.dropped,
		.page_targets = pages_targets(t),
	};
	memcpy(out->js_shortfalls, t->js_frames.shortfalls,
	       sizeof(out->js_shortfalls));
}
