/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The file system as a traced process sees it, held open so that it can still
 * be read when the process has exited. Everything below is under the target's
 * control: paths are resolved inside its root (no way out through symlinks or
 * /proc magic links) and only regular files are opened.
 */
#ifndef SYMBOL_TARGET_ROOT_H
#define SYMBOL_TARGET_ROOT_H

#include <stdbool.h>
#include <sys/types.h>

struct target_root {
	pid_t pid;
	pid_t inner_pid; /* in its own pid namespace */
	uid_t uids[4];	 /* real, effective, saved, file system */
	gid_t gids[4];	 /* likewise */
	int fd;		 /* O_PATH of /proc/PID/root */
};

/* 0 or -errno. */
int target_root_open(struct target_root *t, pid_t pid);
void target_root_close(struct target_root *t);

/* Opens a regular file for reading, `path` resolved as if `directory` were
 * "/"; a symbolic link as last component is followed only when asked for.
 * Returns a descriptor or -errno. */
int open_inside(int directory, const char *path, bool follow);

/* Opens a file that the target itself names: only what its users may read, by
 * the file's mode, so that it cannot have others' files shown. A descriptor or
 * -errno. */
int target_open(const struct target_root *t, const char *path);

#endif
