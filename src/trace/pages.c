// SPDX-License-Identifier: GPL-2.0-only
/* The programs of memory growth: which this kernel can have, their links. */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"
#include "trace/window_probes.h"

/* Share of one CPU that targets may spend on samples, over some ten seconds.
 * More than sampling is made finer for (refine.c). */
#define COST_MAX     0.005
#define COST_SECONDS 10.0
/* A sample then stands for 256 pages. */
#define INTERVAL_MAX (1ULL << 20)

/* ---- The kernel -------------------------------------------------------------
 */

/* The prototype of a tracepoint, its first argument being the probe's own. */
static const struct btf_type *tracepoint(const struct btf *kernel,
					 const char *name)
{
	char type_name[64];
	const struct btf_type *type;
	int id;

	snprintf(type_name, sizeof(type_name), "btf_trace_%s", name);
	id = btf__find_by_name_kind(kernel, type_name, BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(kernel, (__u32)id) : NULL;
	type = type ? btf__type_by_id(kernel, type->type) : NULL;
	type = type && btf_is_ptr(type) ? btf__type_by_id(kernel, type->type)
					: NULL;
	return type && btf_is_func_proto(type) ? type : NULL;
}

/* Up to Linux 6.1 the kernel counted pages by thread first, and its third
 * argument told their number now and then. */
static bool tells_every_page(const struct btf *kernel)
{
	const struct btf_type *rss = tracepoint(kernel, "rss_stat");

	return rss && btf_vlen(rss) == 3 &&
	       tracepoint(kernel, "page_fault_user") &&
	       tracepoint(kernel, "mm_page_alloc") &&
	       tracepoint(kernel, "vm_unmapped_area");
}

bool pages_possible(const struct tracer *t)
{
	struct btf *kernel;
	bool possible;

	if (t->pages.skel)
		return true;
	kernel = btf__load_vmlinux_btf();
	possible = kernel && tells_every_page(kernel);
	btf__free(kernel);
	return possible;
}

/* ---- Loading ----------------------------------------------------------------
 */

static int map_tables(struct tracer *t)
{
	struct pages *p = &t->pages;

	p->lines =
		tracer_map_shared(t->skel->maps.block_lines, sizeof(*p->lines));
	p->blocks = tracer_map_shared(t->skel->maps.blocks, sizeof(*p->blocks));
	p->gone = tracer_map_shared(t->skel->maps.gone_pages, sizeof(*p->gone));
	return p->lines && p->blocks && p->gone ? 0 : -ENOMEM;
}

/* In the order in which they are attached: the one that books last. */
static void programs_of(const struct trace_bpf *skel,
			struct bpf_program *programs[PAGES_LINKS])
{
	programs[0] = skel->progs.page_fault_user;
	programs[1] = skel->progs.page_fault_kernel;
	programs[2] = skel->progs.page_allocated;
	programs[3] = skel->progs.pages_moved;
	programs[4] = skel->progs.page_counted;
}

static int load_programs(struct tracer *t)
{
	struct bpf_program *programs[PAGES_LINKS], *program;
	struct trace_bpf *skel = trace_bpf__open();
	int err;

	if (!skel)
		return -errno;
	t->pages.skel = skel;
	bpf_object__for_each_program(program, skel->obj)
	{
		bpf_program__set_autoload(program, false);
	}
	programs_of(skel, programs);
	for (size_t i = 0; i < PAGES_LINKS; i++)
		bpf_program__set_autoload(programs[i], true);
	bpf_program__set_autoload(skel->progs.pages_gone, true);
	err = tracer_share_maps(t, skel);
	return err ? err : trace_bpf__load(skel);
}

static int attach_programs(struct tracer *t)
{
	struct bpf_program *programs[PAGES_LINKS];

	programs_of(t->pages.skel, programs);
	for (size_t i = 0; i < PAGES_LINKS; i++) {
		t->pages.links[i] = bpf_program__attach(programs[i]);
		if (!t->pages.links[i])
			return -errno;
	}
	return 0;
}

static int start(struct tracer *t)
{
	int err = load_programs(t);

	if (!err)
		err = map_tables(t);
	if (!err)
		err = attach_programs(t);
	if (err)
		pages_free(t);
	return err;
}

void pages_free(struct tracer *t)
{
	struct pages *p = &t->pages;
	size_t lines = t->plan.block_lines;

	for (size_t i = 0; i < PAGES_LINKS; i++)
		bpf_link__destroy(p->links[i]);
	if (p->lines)
		munmap((void *)p->lines, lines * sizeof(*p->lines));
	if (p->blocks)
		munmap((void *)p->blocks,
		       lines * BLOCK_LINE_KEYS * sizeof(*p->blocks));
	if (p->gone)
		munmap(p->gone, GONE_PAGES_MAX * sizeof(*p->gone));
	trace_bpf__destroy(p->skel);
	*p = (struct pages){0};
}

/* ---- Following --------------------------------------------------------------
 */

size_t pages_targets(const struct tracer *t)
{
	size_t count = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		count += t->tracees[i]->alive && t->tracees[i]->pages;
	return count;
}

static bool any_probes(const struct tracer *t)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->alive && t->tracees[i]->has_allocator)
			return true;
	return false;
}

/* Loads what it takes: 0 or -errno, told. */
static int begin(struct tracer *t, const struct tracee *e)
{
	int err = t->pages.skel ? 0 : -ENOTSUP;

	if (err && pages_possible(t))
		err = start(t);
	if (err)
		diag(tracee_level(e),
		     "process %d: cannot follow the pages it holds: %s",
		     (int)e->pid,
		     err == -ENOTSUP ? "that takes Linux 6.2" : strerror(-err));
	return err;
}

int pages_follow(struct tracer *t, struct tracee *e)
{
	__u64 *interval = &t->skel->bss->sampling.interval_bytes;
	int err = begin(t, e);

	if (err)
		return err;
	if (!any_probes(t) && *interval < t->options.growth_sample_bytes)
		*interval = t->options.growth_sample_bytes;
	e->pages = true;
	tracee_publish_target(t, e);
	return 0;
}

int pages_follow_beside(struct tracer *t, struct tracee *e)
{
	__u64 *least = &t->skel->bss->page_interval_min;
	int err = begin(t, e);

	if (err)
		return err;
	/* Blocks may be sampled as finely as windows like. */
	if (*least < t->options.growth_sample_bytes)
		*least = t->options.growth_sample_bytes;
	e->pages_beside = true;
	window_publish(t, e);
	return 0;
}

/* ---- Cost ------------------------------------------------------------------
 */

void pages_limit_cost(struct tracer *t, uint64_t elapsed_ns)
{
	struct pages *p = &t->pages;
	__u64 *least = &t->skel->bss->page_interval_min;
	uint64_t now_ns = tracer_counter(t, COUNTER_PAGE_NS);
	double seconds = (double)elapsed_ns / 1e9, share, part;

	if (!p->skel || seconds <= 0)
		return;
	share = (double)(now_ns - p->sample_ns) / 1e9 / seconds;
	part = seconds < COST_SECONDS ? seconds / COST_SECONDS : 1;
	p->sample_ns = now_ns;
	p->cost += (share - p->cost) * part;
	if (p->cost <= COST_MAX || *least >= INTERVAL_MAX ||
	    t->skel->bss->sampling.interval_bytes >= INTERVAL_MAX)
		return;
	if (any_probes(t))
		*least *= 2;
	else
		tracer_coarsen(t);
	p->cost /= 2;
}

static uint64_t missed_by(const struct bpf_program *p)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &size))
		return 0;
	return info.recursion_misses;
}

uint64_t pages_missed(const struct tracer *t)
{
	if (!t->pages.skel)
		return 0;
	return missed_by(t->pages.skel->progs.page_fault_user) +
	       missed_by(t->pages.skel->progs.page_counted);
}
