/* SPDX-License-Identifier: GPL-2.0-only */
/* The processes of this session. One that cannot be traced is reported and
 * left out; the session ends when none is left. */
#ifndef CLI_TARGETS_H
#define CLI_TARGETS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/exit_codes.h"
#include "target/process.h"
#include "trace/tracer.h"

struct targets {
	struct process *list; /* never moves: the tracer refers to it */
	bool *ended;	      /* its end has been announced */
	struct process_memory *memory; /* as last seen alive */
	size_t count;
};

/* Opens all of `pids` that can be opened. EXIT_CODE_OK when at least one can,
 * else what is wrong with the first. */
enum exit_code targets_open(struct targets *t, const pid_t *pids, size_t count);
/* Attaches all of them, dropping those that fail; the same result. */
enum exit_code targets_attach(struct targets *t, struct tracer *tracer);
/* Looks at how large they are, and says which have ended since the last call.
 */
void targets_observe(struct targets *t);
/* After tracer_free. */
void targets_close(struct targets *t);

#endif
