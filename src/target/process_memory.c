/* SPDX-License-Identifier: GPL-2.0-only */
/* A process's memory: how much there is of it, its bytes, and the files that
 * are mapped into it. */
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "target/proc_file.h"

int process_memory(const struct process *p, struct process_memory *m)
{
	char status[PROC_STATUS_BYTES];
	uint64_t rss = 0, anonymous = 0, virtual = 0;
	bool found;

	*m = (struct process_memory){0};
	if (proc_read(p->pid, "status", status, sizeof(status)) < 0 ||
	    !process_alive(p))
		return -ESRCH;
	found = text_field(status, "VmRSS:", &rss) &&
		text_field(status, "VmSize:", &virtual);
	if (!found) /* its memory is gone: it is exiting */
		return -ESRCH;
	text_field(status, "RssAnon:", &anonymous);
	m->rss_bytes = rss * 1024; /* the file counts in KiB */
	m->rss_anon_bytes = anonymous * 1024;
	m->vm_bytes = virtual * 1024;
	return 0;
}

ssize_t process_read(const struct process *p, uint64_t address, void *to,
		     size_t size)
{
	struct iovec local = {.iov_base = to, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address,
			       .iov_len = size};
	ssize_t got = process_vm_readv(p->pid, &local, 1, &remote, 1, 0);

	if (got < 0)
		return -errno;
	/* Alive now, so it was this process and not a later one of that pid. */
	return process_alive(p) ? got : -ESRCH;
}

static int open_beneath(int directory, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	/* The walk is retried when a rename raced with it (openat2(2)). */
	for (int tries = 0; tries < 8; tries++) {
		fd = (int)syscall(SYS_openat2, directory, path, &how,
				  sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

/*
 * Turns an O_PATH descriptor into a readable one if it is a regular file. The
 * type is known before anything is opened for good: opening a device or a FIFO
 * of the target's choice could have effects. O_NONBLOCK: it may hold a lease.
 */
static int reopen_regular(int path_fd, struct stat *st)
{
	char link[64];
	int fd;

	if (fstat(path_fd, st))
		return -errno;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", path_fd);
	fd = open(link, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

/* The device that stat shows is not the one in /proc/PID/maps on file systems
 * that make one up for each subvolume or layer. */
static bool devices_comparable(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return false;
	return fs.f_type != BTRFS_SUPER_MAGIC &&
	       fs.f_type != OVERLAYFS_SUPER_MAGIC;
}

static bool same_file(int fd, const struct stat *st, const struct mapping *m)
{
	if (st->st_ino != m->inode)
		return false;
	return st->st_dev == m->device || !devices_comparable(fd);
}

/* Needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, but finds the very file, also
 * when it was deleted or is out of reach of any path. */
static int open_map_file(const struct process *p, const struct mapping *m)
{
	CLEANUP_CLOSE int path_fd = -1;
	struct stat st;
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64,
		 (int)p->pid, m->start, m->end);
	path_fd = open(path, O_PATH | O_CLOEXEC);
	if (path_fd < 0)
		return -errno;
	fd = reopen_regular(path_fd, &st);
	if (fd < 0)
		return fd;
	/* Something else may have been mapped at that very place by now. An
	 * overlay shows the inode of the layer in maps on some kernels. */
	if (st.st_ino == m->inode || !devices_comparable(fd))
		return fd;
	close(fd);
	return -ESTALE;
}

static int open_in_root(int root, const char *path, const struct mapping *m)
{
	CLEANUP_CLOSE int path_fd =
		open_beneath(root, path, O_PATH | O_CLOEXEC);
	struct stat st;
	int fd;

	if (path_fd < 0)
		return path_fd;
	fd = reopen_regular(path_fd, &st);
	if (fd < 0)
		return fd;
	if (same_file(fd, &st, m))
		return fd;
	close(fd);
	return -ESTALE;
}

static int open_by_path(const struct process *p, const struct mapping *m)
{
	CLEANUP_CLOSE int root = -1;
	char path[64], literal[4096 + 16];
	int fd, renamed;

	if (m->path[0] != '/')
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%d/root", (int)p->pid);
	root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	fd = open_in_root(root, m->path, m);
	if (fd >= 0 || !m->deleted)
		return fd;
	/* Perhaps not deleted at all, but named like that. */
	snprintf(literal, sizeof(literal), "%s (deleted)", m->path);
	renamed = open_in_root(root, literal, m);
	return renamed >= 0 ? renamed : fd;
}

int process_open_mapping(const struct process *p, const struct mapping *m)
{
	int fd, err;

	if (!m->inode)
		return -ENOENT;
	err = open_map_file(p, m);
	if (err >= 0)
		return err;
	fd = open_by_path(p, m);
	if (fd >= 0 && !process_alive(p)) {
		close(fd);
		return -ESRCH;
	}
	return fd;
}
