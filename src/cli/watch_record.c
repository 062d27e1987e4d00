/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/watch_record.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "service/last_run.h"

/* After a crash, what was missed is known to so many. */
#define KEEP_GAP_MS 10000
/* Processes that are named one by one. */
#define NAMED_MAX 5

int watch_record_open(struct watch_record *w, const char *directory)
{
	const char *given = directory ? directory : getenv("STATE_DIRECTORY");
	int err;

	*w = (struct watch_record){0};
	if (!given || !*given)
		return 0;
	/* systemd gives several as "a:b". */
	w->directory =
		directory ? strdup(given) : strndup(given, strcspn(given, ":"));
	err = w->directory ? last_run_check(w->directory) : -ENOMEM;
	if (err) {
		free(w->directory);
		w->directory = NULL;
	}
	return err;
}

/* ---- What was missed ----------------------------------------------------- */

static bool is_target(const struct targets *targets,
		      const struct last_run_target *t)
{
	for (size_t i = 0; i < targets->count; i++)
		if (targets->list[i]->process.pid == t->pid &&
		    targets->list[i]->process.start_time_ticks ==
			    t->start_time_ticks)
			return true;
	return false;
}

/* How many of them are watched again; says which are not. */
static size_t count_found(const struct last_run *last,
			  const struct targets *targets)
{
	size_t found = 0, lost = 0;

	for (size_t i = 0; i < last->count; i++) {
		const struct last_run_target *t = &last->targets[i];

		if (is_target(targets, t))
			found++;
		else if (lost++ < NAMED_MAX)
			diag_info("process %d (%s) was watched before, and is "
				  "not any more: it has ended, or is no "
				  "target now",
				  (int)t->pid, t->comm);
	}
	if (lost > NAMED_MAX)
		diag_info("so it is with %zu more processes", lost - NAMED_MAX);
	return found;
}

static uint64_t say_missed(const struct last_run *last,
			   const struct targets *targets)
{
	uint64_t seconds = (last_run_now_ms() - last->until_ms + 999) / 1000;
	size_t found = count_found(last, targets);

	if (!found)
		return 0;
	diag_warn("not watching for %s%" PRIu64 " s: allocations in that time "
		  "are unknown (%zu of %zu processes were watched before%s)",
		  last->stopped ? "" : "at most ", seconds, found,
		  targets->count,
		  last->stopped ? "" : "; the last run was killed or crashed");
	return seconds;
}

uint64_t watch_record_compare(const struct watch_record *w,
			      const struct targets *targets)
{
	struct last_run last;
	uint64_t seconds;
	int err;

	if (!w->directory)
		return 0;
	err = last_run_read(w->directory, &last);
	if (err == -ENOENT)
		return 0;
	if (err) {
		diag_warn("what the last run watched is not known: %s in %s",
			  err == -EBADMSG ? "damaged record" : strerror(-err),
			  w->directory);
		return 0;
	}
	seconds = say_missed(&last, targets);
	last_run_free(&last);
	return seconds;
}

/* ---- Keeping ------------------------------------------------------------- */

static void fill(struct last_run *run, const struct targets *targets)
{
	for (size_t i = 0;
	     i < targets->count && run->count < LAST_RUN_TARGETS_MAX; i++) {
		const struct process *p = &targets->list[i]->process;
		struct last_run_target *t = &run->targets[run->count];

		if (targets->list[i]->ended)
			continue;
		t->pid = p->pid;
		t->start_time_ticks = p->start_time_ticks;
		snprintf(t->comm, sizeof(t->comm), "%s", p->comm);
		run->count++;
	}
}

static void write_down(struct watch_record *w, const struct targets *targets,
		       bool stopped)
{
	struct last_run run = {
		.stopped = stopped,
		.until_ms = last_run_now_ms(),
		.targets = calloc(targets->count + 1, sizeof(*run.targets)),
	};
	int err = run.targets ? 0 : -ENOMEM;

	if (!err) {
		fill(&run, targets);
		err = last_run_write(w->directory, &run);
	}
	if (err && !w->failed)
		diag_warn("cannot write down what is watched in %s: %s; a "
			  "restart will not know what it missed",
			  w->directory, strerror(-err));
	w->failed = err != 0;
	last_run_free(&run);
}

void watch_record_keep(struct watch_record *w, const struct targets *targets)
{
	if (!w->directory || last_run_now_ms() < w->next_ms)
		return;
	write_down(w, targets, false);
	w->next_ms = last_run_now_ms() + KEEP_GAP_MS;
}

void watch_record_end(struct watch_record *w, const struct targets *targets)
{
	if (w->directory)
		write_down(w, targets, true);
}

int watch_record_check(const struct watch_record *w)
{
	return w->directory ? last_run_check(w->directory) : 0;
}

void watch_record_free(struct watch_record *w)
{
	free(w->directory);
	w->directory = NULL;
}
