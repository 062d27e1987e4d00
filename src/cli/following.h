/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Follows a selection: processes that start in it, come into it or leave it are
 * attached and let go while the session runs. The kernel tells of programs and
 * forks as they start; every few seconds all processes are gone through, for
 * what was missed and for those that were moved.
 *
 * Attaching takes milliseconds. It is rationed: so much time a second, first
 * for the container that has had least of it.
 */
#ifndef CLI_FOLLOWING_H
#define CLI_FOLLOWING_H

#include "cli/refusals.h"
#include "cli/targets.h"
#include "target/selection.h"

struct following;

struct following_figures {
	const char *selection;	/* what was asked for */
	uint64_t attached;	/* processes so far */
	uint64_t let_go;	/* of these, not among the targets any more */
	uint64_t waiting;	/* to be attached, just now */
	uint64_t no_room;	/* of those not traced: too many at once */
	uint64_t starts_missed; /* told of too late: found by going through all
				 */
	uint64_t not_traced[NOT_TRACED_COUNT];
};

/* 0; -EINVAL: see selection_new; -ENOMEM. */
int following_new(const struct selection_criteria *criteria,
		  struct targets *targets, struct following **out, char *error,
		  size_t error_size);
void following_free(struct following *f);

/* Another selection from now on, taken over; NULL: nothing is selected. Who
 * belongs no more is let go within seconds. */
void following_select(struct following *f, struct selection *selection);

/* The tracer's word that a process has started. */
void following_started(struct following *f, pid_t pid);
/* Whether it belongs and is not known to be one that cannot be traced. */
bool following_selects(const struct following *f, pid_t pid);
/* Attaches whoever is there; stops early when a signal asks for it. */
void following_begin(struct following *f, struct tracer *tracer);
/* Some of the work; called many times a second. */
void following_step(struct following *f, struct tracer *tracer);
/* Forgets those that have ended and need not be shown any more; following_step
 * does so now and then. */
void following_tidy(struct following *f, struct tracer *tracer);

void following_figures(const struct following *f, const struct tracer *tracer,
		       struct following_figures *out);

#endif
