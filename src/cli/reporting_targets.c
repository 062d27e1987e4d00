/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/reporting_targets.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/following.h"
#include "cli/program_facts.h"

static int describe(const struct target_process *t, struct report_target *out)
{
	const char *line = t->process.command_line;
	char *comm = strdup(t->process.comm),
	     *copy = line ? strdup(line) : NULL;

	*out = (struct report_target){
		.pid = t->process.pid,
		.comm = comm,
		.command_line = copy,
		.container = t->container,
		.memory = t->memory,
		.alive = process_alive(&t->process),
	};
	return comm && (copy || !line) ? 0 : -ENOMEM;
}

static void describe_following(struct reporting *r)
{
	struct report_following *shown = &r->report_following;
	struct following_figures f;

	if (!r->following)
		return;
	following_figures(r->following, r->tracer, &f);
	*shown = (struct report_following){
		.selection = f.selection,
		.attached = f.attached,
		.let_go = f.let_go,
		.waiting = f.waiting,
		.no_room = f.no_room,
		.starts_missed = f.starts_missed,
		.reason_count = NOT_TRACED_COUNT,
		.reasons = not_traced_texts,
	};
	for (size_t i = 0; i < NOT_TRACED_COUNT; i++)
		shown->not_traced[i] = f.not_traced[i];
	r->report.following = shown;
}

int reporting_targets_update(struct reporting *r)
{
	size_t count = r->targets->count;
	int err = 0;

	reporting_targets_free(r);
	r->report_targets = calloc(count + 1, sizeof(*r->report_targets));
	if (!r->report_targets)
		return -ENOMEM;
	r->report.targets = r->report_targets;
	for (size_t i = 0; i < count && !err; i++) {
		err = describe(r->targets->list[i], &r->report_targets[i]);
		r->report.target_count++;
	}
	describe_following(r);
	return err;
}

void reporting_targets_free(struct reporting *r)
{
	for (size_t i = 0; i < r->report.target_count; i++) {
		free((void *)r->report_targets[i].comm);
		free((void *)r->report_targets[i].command_line);
	}
	free(r->report_targets);
	r->report_targets = NULL;
	r->report.targets = NULL;
	r->report.target_count = 0;
}
