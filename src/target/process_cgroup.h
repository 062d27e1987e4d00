/* SPDX-License-Identifier: GPL-2.0-only */
/* The memory limit of a process's control group (cgroups(7)), v1 and v2. */
#ifndef TARGET_PROCESS_CGROUP_H
#define TARGET_PROCESS_CGROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The smallest limit of the group and all groups above it, as far as they can
 * be seen from here, bytes; UINT64_MAX when there is none. */
uint64_t process_cgroup_limit(pid_t pid);

/* Of these limits the one that leaves least room, bytes. */
struct cgroup_room {
	uint64_t limit; /* UINT64_MAX: there is none */
	uint64_t used;	/* without page cache that would be dropped first */
};
void process_cgroup_room(pid_t pid, struct cgroup_room *out);

/* Where a hierarchy that may hold memory limits is mounted. */
struct cgroup_mount {
	bool v2;
	char root[4096];  /* the group that the mount point shows */
	char point[4096]; /* the mount point */
};

/* Takes one line of /proc/self/mountinfo; false if it is no such mount. */
bool cgroup_mount_parse(const char *line, struct cgroup_mount *out);
/* Finds the group's path, relative to the hierarchy's root, in the text of
 * /proc/PID/cgroup; false when the process is in none. */
bool cgroup_path_parse(const char *text, bool v2, char *path, size_t size);

#endif
