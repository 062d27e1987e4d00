/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes of this session: those that were given, and those that belong
 * to what was selected, which come and go (following.h). */
#ifndef CLI_TARGETS_H
#define CLI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/exit_codes.h"
#include "target/containers.h"
#include "target/process.h"
#include "trace/tracer.h"

struct target_process {
	struct process process;	      /* never moves: the tracer refers to it */
	struct process_memory memory; /* as last seen alive */
	struct container container;
	/* Anonymous memory that it had when it joined a running session: that
	 * is no growth. */
	uint64_t anon_before;
	bool given;	   /* with -p or -c: stays until the end */
	bool joins;	   /* attached, but that has not been said yet */
	bool ended;	   /* its end has been noticed */
	uint64_t ended_ns; /* CLOCK_MONOTONIC */
	size_t recorded;   /* its number in the capture, from 1; 0: none */
};

struct targets {
	struct target_process **list;
	size_t count, capacity;
	struct containers *containers;
	size_t next;	 /* to be looked at */
	size_t recorded; /* of all so far, how many are in the capture */
};

/* 0 or -ENOMEM. */
int targets_init(struct targets *t);
/* Opens all of `pids` that can be opened. EXIT_CODE_OK when at least one can,
 * else what is wrong with the first. */
enum exit_code targets_open(struct targets *t, const pid_t *pids, size_t count);
/* Attaches all of them, dropping those that fail; the same result. */
enum exit_code targets_attach(struct targets *t, struct tracer *tracer);

/* Takes a process over. NULL: no memory, and it has been closed. */
struct target_process *targets_add(struct targets *t, struct process *p);
struct target_process *targets_find(const struct targets *t, pid_t pid);
/* After tracer_forget, or if it was never attached. */
void targets_remove(struct targets *t, struct target_process *p);

/* Anonymous memory of all that is resident, bytes, as its growth is judged. */
uint64_t targets_resident(const struct targets *t);
/* Looks at how large they are, and says which have ended; of many, some at each
 * call. */
void targets_observe(struct targets *t);
void targets_observe_all(struct targets *t);
/* After tracer_free. */
void targets_close(struct targets *t);

#endif
