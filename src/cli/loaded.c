/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/loaded.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"

static enum exit_code failed(const char *path, int err)
{
	switch (-err) {
	case EINVAL:
		diag_error("%s is no capture of leakbpf record, or is damaged",
			   path);
		return EXIT_CODE_CAPTURE;
	case ENOTSUP:
		diag_error("%s was written by another version of leakbpf: use "
			   "that one to read it",
			   path);
		return EXIT_CODE_CAPTURE;
	case EFBIG:
		diag_error("%s is larger than any capture is", path);
		return EXIT_CODE_CAPTURE;
	case ENOMEM:
		diag_error("out of memory reading %s", path);
		return EXIT_CODE_INTERNAL;
	default:
		diag_error("cannot read %s: %s", path, strerror(-err));
		return EXIT_CODE_CAPTURE;
	}
}

static int add_stack(uint32_t id, const struct stack_frames *f,
		     const struct stack_stats *stats, void *context)
{
	return profile_add(context, id, f, stats);
}

static int add_snapshot(struct loaded *l, double older_seconds)
{
	const struct capture_snapshot *s = capture_snapshot(l->capture);
	struct profile_snapshot snapshot = {
		.now_ns = s->elapsed_ns,
		.older_seconds = older_seconds,
		.sampling = s->status.sampling,
		.cohorts = &s->cohorts,
		.resident_bytes = s->resident_bytes,
	};
	int err = profile_begin(l->profile, &snapshot);

	if (!err)
		err = capture_each_stack(l->capture, add_stack, l->profile);
	return err ? err : profile_end(l->profile);
}

static void describe_container(struct container *c,
			       const struct capture_process *p)
{
	if (p->container)
		snprintf(c->name, sizeof(c->name), "%s", p->container);
	if (p->pod)
		snprintf(c->pod, sizeof(c->pod), "%s", p->pod);
}

static void describe_targets(struct loaded *l)
{
	const struct capture_snapshot *s = capture_snapshot(l->capture);

	for (size_t i = 0; i < capture_process_count(l->capture); i++) {
		const struct capture_process *p =
			capture_process_at(l->capture, i);
		struct report_target *t = &l->targets[l->target_count];

		if (i < s->target_count && s->targets[i].gone)
			continue;
		l->target_count++;
		*t = (struct report_target){
			.pid = p->pid,
			.comm = p->comm,
			.command_line = p->command_line,
		};
		describe_container(&t->container, p);
		if (i < s->target_count) {
			t->memory = s->targets[i].memory;
			t->alive = s->targets[i].alive;
		}
	}
}

static void describe(struct loaded *l, const struct options *options)
{
	const struct capture_snapshot *s = capture_snapshot(l->capture);
	const struct debuginfod_options servers = DEBUGINFOD_CAPTURE;

	describe_targets(l);
	l->in_file = capture_names(l->capture);
	l->debuginfod = debuginfod_start(&servers, options->debuginfod);
	l->local = names_local_new(&l->in_file, l->debuginfod);
	l->names = l->local ? names_of_local(l->local) : l->in_file;
	l->report = (struct report){
		.targets = l->targets,
		.target_count = l->target_count,
		.started_ns = capture_started_ns(l->capture),
		.elapsed_seconds = (double)s->elapsed_ns / 1e9,
		.interval_seconds = (double)s->elapsed_ns / 1e9,
		.final = true,
		.top = options->top,
		.profile = l->profile,
		.names = &l->names,
		.status = s->status,
		.counters = s->counters,
		.v8 = heap_facts_show(&l->heaps, &s->heaps),
		.dead_sites = s->dead_sites,
	};
	program_facts_show(&l->programs, s, &l->report);
}

/* When a limit would have been reached is not told of the past. */
static bool diagnose(struct loaded *l)
{
	const struct capture_snapshot *s = capture_snapshot(l->capture);
	const struct diagnosis_facts facts = {
		.limit_bytes = (double)s->limit_bytes,
		.limit_used_bytes = (double)s->limit_used_bytes,
		.limit_is_group = s->limit_is_group,
		.collections = s->collections,
		.settled_seconds = (double)s->settled_ns / 1e9,
		.unobserved_share = 1 - s->status.observed_share,
		.windows = s->status.windows,
	};

	l->diagnosis = diagnosis_new(l->profile, &facts);
	l->report.diagnosis = l->diagnosis;
	return l->diagnosis != NULL;
}

enum exit_code loaded_read(struct loaded *l, const char *path,
			   const struct options *options)
{
	double older = (double)options->older_ms / 1000;
	FILE *in = fopen(path, "re");
	bool any = false;
	int result;

	if (!in)
		return failed(path, -errno);
	result = capture_open(in, &l->capture);
	l->profile = profile_new();
	if (!result && !l->profile)
		result = -ENOMEM;
	while (!result && (result = capture_next(l->capture)) == 1) {
		any = true;
		result = add_snapshot(l, older);
	}
	if (result)
		return failed(path, result == -EEXIST ? -EINVAL : result);
	if (!any) {
		diag_error("%s holds no snapshot: recording ended too soon",
			   path);
		return EXIT_CODE_CAPTURE;
	}
	if (!capture_snapshot(l->capture)->final)
		diag_warn("%s: recording was interrupted; this is its last "
			  "snapshot",
			  path);
	describe(l, options);
	return diagnose(l) ? EXIT_CODE_OK : failed(path, -ENOMEM);
}

void loaded_free(struct loaded *l)
{
	diagnosis_free(l->diagnosis);
	names_local_free(l->local);
	debuginfod_stop(l->debuginfod);
	profile_free(l->profile);
	capture_close_reader(l->capture);
}
