/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/target_root.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/* Last number of "NSpid:\t123\t7", one per nested pid namespace. */
static pid_t last_number(const char *text)
{
	pid_t last = 0;

	for (;;) {
		char *end;
		unsigned long value = strtoul(text, &end, 10);

		if (end == text)
			return last;
		last = (pid_t)value;
		text = end;
	}
}

static bool read_ids(const char *line, const char *key, uint32_t ids[4])
{
	size_t size = strlen(key);

	return !strncmp(line, key, size) &&
	       sscanf(line + size, "%u %u %u %u", &ids[0], &ids[1], &ids[2],
		      &ids[3]) == 4;
}

static int read_status(struct target_root *t)
{
	char path[64], line[512];
	unsigned found = 0;
	CLEANUP_FCLOSE FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)t->pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	t->inner_pid = t->pid; /* kernels without CONFIG_PID_NS */
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "NSpid:", 6))
			t->inner_pid = last_number(line + 6);
		found += read_ids(line, "Uid:", t->uids);
		found += read_ids(line, "Gid:", t->gids);
	}
	return found == 2 ? 0 : -ESRCH;
}

int target_root_open(struct target_root *t, pid_t pid)
{
	char path[64];
	int err;

	t->pid = pid;
	t->fd = -1;
	err = read_status(t);
	if (err)
		return err;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);
	t->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return t->fd < 0 ? -errno : 0;
}

void target_root_close(struct target_root *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

int open_inside(int directory, const char *path, bool follow)
{
	struct open_how how = {
		/* O_NONBLOCK: opening a FIFO must not wait for a writer. */
		.flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY |
			 (follow ? 0 : O_NOFOLLOW),
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	struct stat st;
	/* Since Linux 5.6; before it the target's files are not used. */
	int fd = (int)syscall(SYS_openat2, directory, path, &how, sizeof(how));

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EACCES;
	}
	return fd;
}

static bool has_id(const uint32_t ids[4], uint32_t id)
{
	for (int i = 0; i < 4; i++)
		if (ids[i] == id)
			return true;
	return false;
}

int target_open(const struct target_root *t, const char *path)
{
	struct stat st;
	int fd = open_inside(t->fd, path, true);

	if (fd < 0)
		return fd;
	if (!fstat(fd, &st) &&
	    (st.st_mode & S_IROTH || has_id(t->uids, 0) ||
	     (st.st_mode & S_IRUSR && has_id(t->uids, st.st_uid)) ||
	     (st.st_mode & S_IRGRP && has_id(t->gids, st.st_gid))))
		return fd;
	close(fd);
	return -EACCES;
}
