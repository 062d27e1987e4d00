// SPDX-License-Identifier: GPL-2.0-only
/* Opening, sizing and loading the BPF object. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>

#include "base/diag.h"
#include "leakbpf/sampling.h"
#include "trace/tracer_internal.h"

static int libbpf_to_diag(enum libbpf_print_level level, const char *format,
			  va_list args)
{
	char *text = NULL, *rest, *line;

	if (level == LIBBPF_DEBUG || vasprintf(&text, format, args) < 0)
		return 0;
	/* The verifier's log comes as one message of many lines. */
	rest = text;
	while ((line = strsep(&rest, "\n")))
		if (*line)
			diag_debug("%s", line);
	free(text);
	return 0;
}

/* Kernels before 5.11 charge BPF memory to RLIMIT_MEMLOCK. Objects, links and
 * perf events hold a descriptor each: the usual soft limit of 1024 is too low
 * for many targets. */
static void raise_limits(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static void use(struct bpf_program *p, uint32_t attach_type)
{
	bpf_program__set_autoload(p, true);
	if (attach_type)
		bpf_program__set_expected_attach_type(p, attach_type);
}

/* Only what the chosen links need is loaded: a kernel without sessions rejects
 * their programs. */
static void choose_programs(struct tracer *t)
{
	uint32_t multi = t->link == LINK_PERF ? 0 : LB_BPF_TRACE_UPROBE_MULTI;

	if (t->options.growth == GROWTH_ALWAYS)
		return;
	use(t->skel->progs.free_entry, multi);
	use(t->skel->progs.loader_entry, multi);
	if (t->link == LINK_SESSION) {
		use(t->skel->progs.alloc_session, LB_BPF_TRACE_UPROBE_SESSION);
		return;
	}
	use(t->skel->progs.alloc_entry, multi);
	use(t->skel->progs.alloc_return, multi);
}

static void size_maps(struct tracer *t)
{
	const struct memory_plan *p = &t->plan;

	bpf_map__set_max_entries(t->skel->maps.targets, p->targets);
	bpf_map__set_max_entries(t->skel->maps.process_ranges, p->targets);
	bpf_map__set_max_entries(t->skel->maps.unwind_rules,
				 UNWIND_RULES_EXT_MAX);
	bpf_map__set_max_entries(t->skel->maps.stack_index, p->stacks);
	bpf_map__set_max_entries(t->skel->maps.stack_frames, p->stacks);
	bpf_map__set_max_entries(t->skel->maps.stack_stats, p->stacks);
	bpf_map__set_max_entries(t->skel->maps.stack_lives, p->stacks);
	bpf_map__set_max_entries(t->skel->maps.free_stacks, p->stacks);
	bpf_map__set_max_entries(t->skel->maps.block_lines, p->block_lines);
	bpf_map__set_max_entries(t->skel->maps.blocks,
				 p->block_lines * BLOCK_LINE_KEYS);
	bpf_map__set_max_entries(t->skel->maps.pending, p->threads);
	bpf_map__set_max_entries(t->skel->maps.v8_processes, p->targets);
	bpf_map__set_max_entries(t->skel->maps.js_threads, p->threads);
	bpf_map__set_max_entries(t->skel->maps.js_frames, p->js_frames);
	if (t->options.v8)
		v8_heap_size_maps(t);
}

/* Units of the variance sums: fine enough for the finest interval, coarse
 * enough not to overflow after many doublings (leakbpf/sampling.h). */
static uint32_t variance_shift(uint64_t interval)
{
	uint64_t finest = interval / TRACER_FINER_MAX;
	uint32_t shift = 2;

	while (shift < 40 && finest >> (shift + 6))
		shift++;
	return shift;
}

static void set_parameters(struct tracer *t)
{
	const struct tracer_options *o = &t->options;
	uint64_t seeds[2] = {0};
	int cpus = libbpf_num_possible_cpus();

	if (getrandom(seeds, sizeof(seeds), 0) != sizeof(seeds))
		seeds[0] = seeds[1] = monotonic_ns();
	t->skel->rodata->stack_hash_seed = seeds[0];
	t->skel->rodata->block_hash_seed = seeds[1];
	t->skel->rodata->filter_min_size = o->min_size;
	t->skel->rodata->filter_max_size = o->max_size ? o->max_size : ~0ULL;
	t->skel->rodata->outstanding_max = t->plan.outstanding_max;
	t->skel->rodata->outstanding_high_water =
		(uint64_t)t->plan.outstanding_max * 3 / 4;
	t->skel->rodata->block_line_mask = t->plan.block_lines - 1;
	t->skel->rodata->stepped_units = tracer_stepped_units(t);
	t->skel->rodata->meter_unit_ns = (uint32_t)tracer_hit_ns(t);
	t->skel->rodata->possible_cpus = cpus > 0 ? (uint32_t)cpus : 0;
	t->skel->rodata->all_maps = o->memory_maps;
	t->skel->bss->sampling.interval_bytes = o->sample_bytes;
	t->skel->bss->sampling.variance_shift = variance_shift(o->sample_bytes);
	t->skel->bss->starts_watched = o->started != NULL;
	cohorts_init(&t->cohorts, monotonic_ns());
	t->skel->bss->cohort_layouts[0] = t->cohorts.layout;
}

void *tracer_map_shared(struct bpf_map *m, size_t value_size)
{
	size_t bytes = (size_t)bpf_map__max_entries(m) * value_size;
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		       bpf_map__fd(m), 0);

	return p == MAP_FAILED ? NULL : p;
}

int tracer_load(struct tracer *t)
{
	int err;

	libbpf_set_print(libbpf_to_diag);
	raise_limits();
	t->skel = trace_bpf__open();
	if (!t->skel)
		return -errno;
	choose_programs(t);
	size_maps(t);
	set_parameters(t);
	err = trace_bpf__load(t->skel);
	if (err) {
		diag_error("cannot load the BPF programs: %s; run with "
			   "--verbose to see the kernel's reasons",
			   strerror(-err));
		return err;
	}
	t->stack_frames = tracer_map_shared(t->skel->maps.stack_frames,
					    sizeof(struct stack_frames));
	t->stack_stats = tracer_map_shared(t->skel->maps.stack_stats,
					   sizeof(struct stack_stats));
	t->stack_lives = tracer_map_shared(t->skel->maps.stack_lives,
					   sizeof(struct stack_lives));
	if (!t->stack_frames || !t->stack_stats || !t->stack_lives)
		return -ENOMEM;
	if (t->options.v8) {
		err = v8_heap_maps_init(t);
		if (err)
			return err;
	}
	err = trace_bpf__attach(t->skel); /* the scheduler's tracepoints */
	if (err)
		diag_error("cannot attach to scheduler tracepoints: %s",
			   strerror(-err));
	return err;
}

void tracer_unload(struct tracer *t)
{
	if (t->stack_frames)
		munmap(t->stack_frames,
		       t->plan.stacks * sizeof(struct stack_frames));
	if (t->stack_stats)
		munmap(t->stack_stats,
		       t->plan.stacks * sizeof(struct stack_stats));
	if (t->stack_lives)
		munmap(t->stack_lives,
		       t->plan.stacks * sizeof(struct stack_lives));
	v8_heap_maps_free(t);
	pages_free(t);
	trace_bpf__destroy(t->skel);
}
