/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs started by leakbpf (-c): held by ptrace until their libraries are
 * mapped, so that probes stand before the program's own first allocation, then
 * let go for good.
 */
#ifndef CLI_SPAWN_H
#define CLI_SPAWN_H

#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "cli/exit_codes.h"
#include "object/object.h"
#include "target/process.h"

struct spawned {
	pid_t pid; /* 0: none */
	const char *name;
	bool held; /* stopped, by us */
	/* Of open files, for the program; rlim_cur 0: as it is. */
	struct rlimit file_limit;
};

/* The program gets the limit of open files of this moment: the tracer raises
 * its own later. */
void spawn_keep_limits(struct spawned *s);

/* `s`: { 0 }, or after spawn_keep_limits.
 * Runs the command up to its exec: the program is loaded, none of its
 * instructions has run. Failures are reported. On failure nothing is left. */
enum exit_code spawn_start(struct spawned *s, char *const command[]);
/*
 * Runs the dynamic loader until everything the program is linked with is
 * mapped and relocated, but no constructor has run; where that moment cannot
 * be caught, up to the program's entry point.
 */
enum exit_code spawn_load(struct spawned *s, const struct process *process,
			  struct object_registry *objects);
/* Lets the program run, from now on untraced by ptrace. 0 or -errno. */
int spawn_release(struct spawned *s);
/* Ends the program if it still runs: SIGTERM, and when it is still being held
 * SIGKILL. Waits up to two seconds, reaps it. Safe on { 0 }. */
void spawn_end(struct spawned *s);

#endif
