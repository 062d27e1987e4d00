// SPDX-License-Identifier: GPL-2.0-only
#include "trace/late_programs.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

int tracer_share_maps(const struct tracer *t, struct trace_bpf *skel)
{
	const struct bpf_map *from;
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, skel->obj)
	{
		from = bpf_object__find_map_by_name(t->skel->obj,
						    bpf_map__name(map));
		if (!err)
			err = from ? bpf_map__reuse_fd(map, bpf_map__fd(from))
				   : -ENOENT;
	}
	return err;
}

static void choose(const struct tracer *t, struct bpf_program *p)
{
	bpf_program__set_autoload(p, true);
	if (t->link != LINK_PERF)
		bpf_program__set_expected_attach_type(
			p, LB_BPF_TRACE_UPROBE_MULTI);
}

static void choose_maps(const struct tracer *t, struct trace_bpf *skel)
{
	if (t->link == LINK_SESSION) {
		bpf_program__set_autoload(skel->progs.map_session, true);
		bpf_program__set_expected_attach_type(
			skel->progs.map_session, LB_BPF_TRACE_UPROBE_SESSION);
		return;
	}
	choose(t, skel->progs.map_entry);
	choose(t, skel->progs.map_return);
}

static int load(const struct tracer *t, struct trace_bpf *skel,
		enum late_group group)
{
	struct bpf_program *program;
	int err;

	bpf_object__for_each_program(program, skel->obj)
	{
		bpf_program__set_autoload(program, false);
	}
	switch (group) {
	case LATE_V8:
		choose(t, skel->progs.v8_allocation);
		choose(t, skel->progs.v8_gc);
		choose(t, skel->progs.v8_size);
		break;
	case LATE_GO:
		choose(t, skel->progs.go_heap);
		break;
	case LATE_MAPS:
		choose_maps(t, skel);
		break;
	default:
		choose(t, skel->progs.usdt);
	}
	err = tracer_share_maps(t, skel);
	return err ? err : trace_bpf__load(skel);
}

const struct trace_bpf *late_programs(struct tracer *t, enum late_group group)
{
	struct trace_bpf *skel = t->late.skel[group];
	int err;

	if (skel)
		return skel;
	skel = trace_bpf__open();
	err = skel ? load(t, skel, group) : -errno;
	if (err) {
		diag_error("cannot load more BPF programs: %s; run with "
			   "--verbose to see the kernel's reasons",
			   strerror(-err));
		trace_bpf__destroy(skel);
		return NULL;
	}
	t->late.skel[group] = skel;
	return skel;
}

void late_programs_free(struct tracer *t)
{
	for (int i = 0; i < LATE_GROUPS; i++)
		trace_bpf__destroy(t->late.skel[i]);
}
