/* SPDX-License-Identifier: GPL-2.0-only */
/* Follows the targets until the session is over, and says when it is time for
 * something: a report, a snapshot between reports, a look at who is waiting. */
#ifndef CLI_RUN_LOOP_H
#define CLI_RUN_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/exit_codes.h"
#include "cli/reporting.h"

/* Each may be NULL. 0 or -errno, reported: the session ends. */
struct run_calls {
	int (*report)(void *context);  /* the interval has passed */
	int (*observe)(void *context); /* see reporting_due_ns */
	/* Often: keys, requests. 1: the user has had enough. */
	int (*attend)(void *context);
};

struct run_loop {
	struct reporting *reporting;
	const struct run_calls *calls;
	void *context;
	unsigned attend_ms; /* `attend` is called that often; 0: now and then */
	uint64_t next_ns;   /* the next report, CLOCK_MONOTONIC */
	bool outlives_targets; /* goes on when all of them have ended */
	bool paused;	       /* nothing but `attend` is due */
	bool unread;	       /* set when nobody reads reports any more */
};

/* Until a signal, the end of the duration, of all targets, or `attend` says so.
 * What went wrong has been reported. */
enum exit_code run_loop(struct run_loop *l);

#endif
