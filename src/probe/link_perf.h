/* SPDX-License-Identifier: GPL-2.0-only */
/* One uprobe as a perf event with a BPF program: works on every kernel since
 * 5.15 and needs no tracefs. Part of link.h's implementation. */
#ifndef PROBE_LINK_PERF_H
#define PROBE_LINK_PERF_H

#include <stdbool.h>
#include <sys/types.h>

#include "probe/link.h"

/* Opens the event alone: a descriptor, or -errno (-ENODEV: this kernel has no
 * uprobe events, or sysfs is not mounted). */
int link_perf_open(const char *path, pid_t pid, bool is_return,
		   const struct probe_point *point);
/* A descriptor that holds the probe and its program, or -errno. */
int link_perf_create(const char *path, int program_fd, pid_t pid,
		     bool is_return, const struct probe_point *point);

#endif
