/* SPDX-License-Identifier: GPL-2.0-only */
/* The probes of a tracee, set and taken out again in windows. Included by
 * tracer_internal.h. */
#ifndef TRACE_PROBE_SETS_H
#define TRACE_PROBE_SETS_H

#include <stdbool.h>
#include <stddef.h>

#include "object/object.h"
#include "probe/link.h"

enum probe_phase {
	PROBES_ALWAYS, /* rarely hit: the loader */
	PROBES_MAPS,
	PROBES_FREES,
	PROBES_BIRTHS,
	PROBE_PHASES
};

/* Probes of one program in one object. */
struct probe_set {
	enum probe_phase phase;
	const struct object *object;
	int program_fd;
	enum link_kind kind;
	bool is_return;
	struct probe_point *points;
	size_t count;
	struct probe_links links; /* none: not set */
};

struct probe_sets {
	struct probe_set *list; /* what is set first comes first */
	size_t count;
	bool open[PROBE_PHASES];
};

void probe_sets_init(struct probe_sets *sets);
/* Adds a set, with a copy of its points, and sets it if its phase is open.
 * 0 or -errno. */
int probe_sets_add(struct probe_sets *sets, pid_t pid,
		   const struct probe_set *set);
/* Sets all of a phase: 0, or -errno and none of it is set. */
int probe_sets_open(struct probe_sets *sets, pid_t pid, enum probe_phase phase);
/* Takes them out; the probes are gone when it returns, some 50 ms later
 * (link.h). */
void probe_sets_close(struct probe_sets *sets, enum probe_phase phase);
/* Forgets all; closing the links, which are appended to `links`, is left to
 * the caller. */
void probe_sets_release(struct probe_sets *sets, struct probe_links *links);
/* The same of one object's. */
void probe_sets_release_object(struct probe_sets *sets, const struct object *o,
			       struct probe_links *links);
/* Takes all out and forgets them. */
void probe_sets_clear(struct probe_sets *sets);

#endif
