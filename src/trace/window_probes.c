// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_probes.h"

#include <errno.h>
#include <string.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

void window_publish(struct tracer *t, const struct tracee *e)
{
	for (size_t i = 0; i < t->tracee_count; i++)
		if (t->tracees[i]->alive && t->tracees[i]->owner == e->owner)
			tracee_publish_target(t, t->tracees[i]);
}

void window_unset_phase(struct tracer *t, const struct tracee *e,
			enum probe_phase phase)
{
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *other = t->tracees[i];

		if (other->alive && other->owner == e->owner)
			probe_sets_close(&other->probes, phase);
	}
	/* Calls in progress will not be seen to return. */
	if (phase == PROBES_BIRTHS)
		__atomic_fetch_add(&t->skel->bss->window_number, 1,
				   __ATOMIC_RELAXED);
}

void window_unset_probes(struct tracer *t, const struct tracee *e)
{
	window_unset_phase(t, e, PROBES_BIRTHS);
	window_unset_phase(t, e, PROBES_FREES);
}

static int set_phase(struct tracer *t, const struct tracee *e,
		     enum probe_phase phase)
{
	int err = 0;

	for (size_t i = 0; !err && i < t->tracee_count; i++) {
		struct tracee *other = t->tracees[i];

		if (other->alive && other->owner == e->owner)
			err = probe_sets_open(&other->probes, other->pid,
					      phase);
	}
	return err;
}

int window_set_probes(struct tracer *t, const struct tracee *e)
{
	int err = set_phase(t, e, PROBES_FREES);

	if (!err)
		err = set_phase(t, e, PROBES_BIRTHS);
	if (!err)
		return 0;
	window_unset_probes(t, e);
	if (err != -ESRCH)
		diag_warn("process %d: cannot set its probes again: %s",
			  (int)e->pid, strerror(-err));
	return err;
}
