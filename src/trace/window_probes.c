// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_probes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

struct window_name window_name(const struct tracer *t, const struct tracee *e)
{
	struct window_name name;
	size_t members = 0;

	for (size_t i = 0; i < t->tracee_count; i++)
		members += t->tracees[i]->shared != 0;
	if (e == t->sharing.all)
		snprintf(name.text, sizeof(name.text),
			 "%zu processes that share probes", members);
	else
		snprintf(name.text, sizeof(name.text), "process %d",
			 (int)e->pid);
	return name;
}

/* Whether the window of `e` is that of the other one as well. */
static bool covers(struct tracer *t, const struct tracee *e,
		   struct tracee *other)
{
	return other->alive &&
	       (e == t->sharing.all ? sharing_account(t, other) == e
				    : other->owner == e->owner);
}

void window_publish(struct tracer *t, struct tracee *e)
{
	bool all = e == t->sharing.all;

	/* When allocations are no longer seen, that is all that is new. */
	for (size_t i = 0; i < t->tracee_count && !(all && e->births_unseen);
	     i++)
		if (covers(t, e, t->tracees[i]))
			tracee_publish_target(t, t->tracees[i]);
	/* All at the same time: blocks count by when they were born. */
	if (all)
		__atomic_store_n(&t->skel->bss->shared_births_unseen,
				 e->births_unseen, __ATOMIC_RELEASE);
}

static void close_phase(struct tracer *t, struct tracee *e,
			enum probe_phase phase, struct probe_links *links)
{
	probe_sets_close(&e->probes, phase, links);
	for (size_t i = 0; i < t->tracee_count; i++)
		if (covers(t, e, t->tracees[i]))
			probe_sets_close(&t->tracees[i]->probes, phase, links);
}

/* Calls in progress will not be seen to return. */
void window_probes_unset(struct tracer *t)
{
	__atomic_fetch_add(&t->skel->bss->window_number, 1, __ATOMIC_RELAXED);
}

void window_unset_phase(struct tracer *t, struct tracee *e,
			enum probe_phase phase)
{
	struct probe_links links = {0};

	close_phase(t, e, phase, &links);
	probe_links_close(&links);
	if (phase == PROBES_BIRTHS)
		window_probes_unset(t);
}

void window_take_probes(struct tracer *t, struct tracee *e,
			struct probe_links *links)
{
	close_phase(t, e, PROBES_BIRTHS, links);
	close_phase(t, e, PROBES_FREES, links);
}

void window_unset_probes(struct tracer *t, struct tracee *e)
{
	struct probe_links links = {0};

	window_take_probes(t, e, &links);
	probe_links_close(&links);
	window_probes_unset(t);
}

static int set_phase(struct tracer *t, struct tracee *e, enum probe_phase phase)
{
	int err = 0;

	if (e == t->sharing.all)
		err = probe_sets_open(&e->probes, PROBES_OF_ALL, phase);
	for (size_t i = 0; !err && i < t->tracee_count; i++) {
		struct tracee *other = t->tracees[i];

		if (!covers(t, e, other))
			continue;
		err = probe_sets_open(&other->probes, other->pid, phase);
		/* One of many has ended: the others go on. */
		if (err == -ESRCH && e == t->sharing.all)
			err = 0;
	}
	return err;
}

int window_set_probes(struct tracer *t, struct tracee *e)
{
	int err = set_phase(t, e, PROBES_FREES);

	if (!err)
		err = set_phase(t, e, PROBES_BIRTHS);
	if (!err)
		return 0;
	window_unset_probes(t, e);
	if (err != -ESRCH)
		diag_warn("%s: cannot set probes again: %s",
			  window_name(t, e).text, strerror(-err));
	return err;
}
