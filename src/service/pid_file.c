/* SPDX-License-Identifier: GPL-2.0-only */
#include "service/pid_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/diag.h"

/* Another instance may remove the file while this one opens it. */
#define TRIES	      5
#define CONTENT_MAX   32
#define PID_FILE_MODE 0644

/* Whether `fd` is still what the path names. */
static bool is_current(int fd, const char *path)
{
	struct stat opened, named;

	return !fstat(fd, &opened) && !lstat(path, &named) &&
	       opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/* Empty, or a number and a newline: nothing else is overwritten. */
static bool is_pid_file(int fd, pid_t *pid)
{
	char content[CONTENT_MAX] = "";
	ssize_t got = pread(fd, content, sizeof(content) - 1, 0);
	struct stat st;

	if (got < 0 || got == sizeof(content) - 1 || fstat(fd, &st) ||
	    !S_ISREG(st.st_mode))
		return false;
	*pid = (pid_t)strtol(content, NULL, 10);
	for (ssize_t i = 0; i < got; i++)
		if (!isdigit((unsigned char)content[i]) && content[i] != '\n')
			return false;
	return true;
}

static int write_pid(int fd)
{
	char text[CONTENT_MAX];
	int size = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0))
		return -errno;
	return pwrite(fd, text, (size_t)size, 0) == size ? 0 : -EIO;
}

/* A locked descriptor or -errno; -EAGAIN: the file was removed meanwhile;
 * -EEXIST: it is *holder's. */
static int open_locked(const char *path, pid_t *holder)
{
	int err = 0, fd = open(path,
			       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
				       O_NONBLOCK | O_NOCTTY,
			       PID_FILE_MODE);

	if (fd < 0)
		return -errno;
	if (!is_pid_file(fd, holder))
		err = -EINVAL;
	else if (flock(fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EEXIST : -errno;
	else if (!is_current(fd, path))
		err = -EAGAIN;
	else
		err = write_pid(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void complain(const char *path, int err, pid_t holder)
{
	if (err == -EEXIST)
		diag_error("--pid-file %s: leakbpf runs already (process %d); "
			   "stop it first, or give another file",
			   path, (int)holder);
	else if (err == -EINVAL)
		diag_error("--pid-file %s: this is no file with a process id; "
			   "it is left as it is",
			   path);
	else
		diag_error("--pid-file %s: cannot write it: %s", path,
			   strerror(-err));
}

int pid_file_open(struct pid_file *p, const char *path)
{
	pid_t holder = 0;
	int fd = -EAGAIN;

	*p = (struct pid_file){.fd = -1};
	if (!path)
		return 0;
	for (int i = 0; i < TRIES && fd == -EAGAIN; i++)
		fd = open_locked(path, &holder);
	if (fd < 0) {
		complain(path, fd, holder);
		return fd;
	}
	*p = (struct pid_file){path, fd};
	return 0;
}

void pid_file_close(struct pid_file *p)
{
	if (!p->path)
		return;
	/* While it is locked: nobody else can have taken it. */
	if (is_current(p->fd, p->path))
		unlink(p->path);
	close(p->fd);
	*p = (struct pid_file){.fd = -1};
}
