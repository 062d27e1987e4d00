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
	bool throws; /* a C++ exception may leave these functions */
	bool shared; /* others' links serve (sharing.h): none of its own */
	struct probe_point *points;
	size_t count;
	struct probe_links links; /* none: not set */
};

/* Instead of a pid: for all processes that map the object. */
#define PROBES_OF_ALL 0

struct probe_sets {
	struct probe_set *list; /* what is set first comes first */
	size_t count;
	bool open[PROBE_PHASES];
};

/* Of the object's functions that may throw, or of its others. */
static inline bool probe_set_is_of(const struct probe_set *s,
				   const struct object *o, bool throws)
{
	return s->object == o && s->throws == throws;
}

void probe_sets_init(struct probe_sets *sets);
/* Adds a set, with a copy of its points, and sets it if its phase is open.
 * 0 or -errno. */
int probe_sets_add(struct probe_sets *sets, pid_t pid,
		   const struct probe_set *set);
/* Sets all of a phase: 0, or -errno and none of it is set. */
int probe_sets_open(struct probe_sets *sets, pid_t pid, enum probe_phase phase);
/* Takes them out: they are gone when `links`, to which theirs are appended, are
 * closed, which takes some 50 ms (link.h). */
void probe_sets_close(struct probe_sets *sets, enum probe_phase phase,
		      struct probe_links *links);
/* The sets of an object's functions that may throw, or of its others, are
 * served by shared links from now on, or by their own again: 0 or -errno. */
void probe_sets_share(struct probe_sets *sets, const struct object *o,
		      bool throws, struct probe_links *links);
int probe_sets_unshare(struct probe_sets *sets, pid_t pid,
		       const struct object *o, bool throws);
bool probe_sets_have(const struct probe_sets *sets, const struct object *o,
		     bool throws);
/* Forgets those; closing the links is left to the caller. */
void probe_sets_remove(struct probe_sets *sets, const struct object *o,
		       bool throws, struct probe_links *links);
/* Forgets all; closing the links, which are appended to `links`, is left to
 * the caller. */
void probe_sets_release(struct probe_sets *sets, struct probe_links *links);
/* The same of one object's. */
void probe_sets_release_object(struct probe_sets *sets, const struct object *o,
			       struct probe_links *links);
/* Takes all out and forgets them. */
void probe_sets_clear(struct probe_sets *sets);

#endif
