/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups as places where processes are (cgroups(7)), v2 and v1. */
#ifndef TARGET_CGROUP_H
#define TARGET_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define CGROUP_PATH_BYTES 4096

/* A group: its path from the root of its hierarchy, that of v2 or the one with
 * v1's memory controller. */
struct cgroup_place {
	bool v2;
	bool exists; /* just now */
	char path[CGROUP_PATH_BYTES];
};

/*
 * What a user calls a group: a directory (/sys/fs/cgroup/a/b), or a path from
 * the root of the hierarchy (a/b, or /a/b as in /proc/PID/cgroup). 0; -EINVAL:
 * not a path of a group; -ENOENT: no hierarchy is mounted.
 */
int cgroup_find(const char *text, struct cgroup_place *out);

/* Whether `path` is the group or lies below it. */
bool cgroup_holds(const struct cgroup_place *group, const char *path);

/* The group of a process in one of the two hierarchies. False: none there. */
bool cgroup_of_process(pid_t pid, bool v2, char path[CGROUP_PATH_BYTES]);

#endif
