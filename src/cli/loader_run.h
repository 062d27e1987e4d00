/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Runs a freshly executed, ptraced program until the dynamic loader has done
 * its work. Two places stop it, whichever comes first: the loader's hook for
 * debuggers (_dl_debug_state, called once everything is mapped, before any
 * constructor runs; the state must say RT_CONSISTENT), and the program's entry
 * point, which statically linked programs have too.
 */
#ifndef CLI_LOADER_RUN_H
#define CLI_LOADER_RUN_H

#include <sys/types.h>

#include "object/object.h"
#include "target/process.h"

/* Waits for the exec of a seized child. 0 stopped there; -ECHILD it has ended
 * and is reaped; -EINTR a signal asks us to stop; or -errno. */
int loader_wait_exec(pid_t pid);
/* The same results; on 0 it is stopped and no breakpoint is left in it. */
int loader_run(const struct process *process, struct object_registry *objects);

#endif
