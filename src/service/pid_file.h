/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file that holds the process id of the one instance that may run with it.
 * It is locked (flock(2)), and the lock goes with the process, however it ends,
 * so a file that a crash left behind is no obstacle. Helper processes must not
 * keep the descriptor.
 */
#ifndef SERVICE_PID_FILE_H
#define SERVICE_PID_FILE_H

#include <sys/types.h>

struct pid_file {
	const char *path; /* NULL: none */
	int fd;
};

/* Writes our process id. `path` is kept; NULL: nothing is done. 0; -EEXIST:
 * another instance runs; -EINVAL: the file holds something else, and is left
 * alone; or another -errno. Reported. pid_file_close only after 0. */
int pid_file_open(struct pid_file *p, const char *path);
/* Removes it. */
void pid_file_close(struct pid_file *p);

#endif
