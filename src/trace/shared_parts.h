/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Going over from probes of each process's own to shared ones, and back. The
 * new ones are set before the old ones are taken out; but of functions that may
 * throw the old ones go first: no exception must meet the return probe that a
 * process's session puts into others that have the breakpoints.
 */
#ifndef TRACE_SHARED_PARTS_H
#define TRACE_SHARED_PARTS_H

#include <stdbool.h>

#include "object/object.h"
#include "trace/sharing.h"

/* Whether shared probes may serve a tracee: the allocator of those that sample
 * themselves is left alone. */
bool sharing_eligible(const struct tracee *e);
/* An eligible one, alive, that has these probes. */
bool sharing_has(const struct tracee *e, const struct object *o, bool throws);

/* NULL: there is none. */
struct shared_part *shared_part_find(struct tracer *t, const struct object *o,
				     bool throws);
/* The same, but not when it is about to go. */
struct shared_part *shared_part_in_use(struct tracer *t, const struct object *o,
				       bool throws);
/* All eligible tracees that have these probes share them: 0 or -errno. */
int shared_part_begin(struct tracer *t, const struct object *o, bool throws);
/* All have their own again. The part itself goes some time later. */
void shared_part_end(struct tracer *t, struct shared_part *p);
/* Its links are appended to `links`. */
void shared_part_remove(struct tracer *t, struct shared_part *p,
			struct probe_links *links);

#endif
