/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"

/* "DIRECTORY/.NAME.XXXXXX": beside the file, because rename works within one
 * file system only. 0 or -ENAMETOOLONG. */
static int temporary_name(const char *file, char *name, size_t size)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	int used = snprintf(name, size, "%.*s.%s.XXXXXX", (int)(base - file),
			    file, base);

	return used < 0 || (size_t)used >= size ? -ENAMETOOLONG : 0;
}

/* A new file with the permissions that creating `file` would have given. */
static int create_temporary(const char *file, char *name, size_t size)
{
	int fd, err = temporary_name(file, name, size);
	mode_t mask;

	if (err)
		return err;
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return -errno;
	mask = umask(0);
	umask(mask);
	if (fchmod(fd, 0666 & ~mask)) {
		err = -errno;
		close(fd);
		unlink(name);
		return err;
	}
	return fd;
}

static int check_replaceable(const char *file)
{
	char name[PATH_MAX];
	int fd = create_temporary(file, name, sizeof(name));

	if (fd < 0)
		return fd;
	close(fd);
	unlink(name);
	return 0;
}

/* A pipe or a device. Without O_NONBLOCK a pipe that nobody reads would hang
 * here; later writes shall wait, though. */
static int open_special(const char *file)
{
	int fd = open(file, O_WRONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int flags;

	if (fd < 0)
		return -errno;
	flags = fcntl(fd, F_GETFL);
	if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK)) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int prepare_folded(struct output *o)
{
	struct stat st;

	if (stat(o->folded, &st)) {
		if (errno != ENOENT)
			return -errno;
		return check_replaceable(o->folded);
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		return check_replaceable(o->folded);
	o->folded_fd = open_special(o->folded);
	return o->folded_fd < 0 ? o->folded_fd : 0;
}

static int check_stdout(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0)
		return -errno;
	return (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

int output_open(struct output *o, const char *folded, bool quiet)
{
	int err = check_stdout();

	*o = (struct output){.folded = folded, .folded_fd = -1};
	if (err) {
		diag_error("cannot write to standard output: %s",
			   strerror(-err));
		return err;
	}
	o->folded_to_stdout = folded && !strcmp(folded, "-");
	o->text = !o->folded_to_stdout ? stdout : quiet ? NULL : stderr;
	if (!folded || o->folded_to_stdout)
		return 0;
	err = prepare_folded(o);
	if (err)
		diag_error("cannot write %s: %s%s", folded, strerror(-err),
			   err == -ENXIO ? " (nobody reads this pipe)" : "");
	return err;
}

void output_close(struct output *o)
{
	if (o->folded_fd >= 0)
		close(o->folded_fd);
	o->folded_fd = -1;
}

bool output_folded_due(const struct output *o, bool final)
{
	return o->folded &&
	       (final || (!o->folded_to_stdout && o->folded_fd < 0));
}

/* Fills and closes `fd`; 0 or -errno. */
static int fill(int fd, int (*write)(FILE *out, void *context), void *context)
{
	FILE *f = fdopen(fd, "w");
	int err;

	if (!f) {
		err = -errno;
		close(fd);
		return err;
	}
	err = write(f, context);
	/* fclose writes what is still buffered, and on network file systems
	 * says whether it arrived. */
	errno = 0;
	if (fclose(f) && !err)
		err = errno ? -errno : -EIO;
	return err;
}

static int replace_file(const char *file,
			int (*write)(FILE *out, void *context), void *context)
{
	char name[PATH_MAX];
	int err, fd = create_temporary(file, name, sizeof(name));

	if (fd < 0)
		return fd;
	err = fill(fd, write, context);
	if (!err && rename(name, file))
		err = -errno;
	if (err)
		unlink(name);
	return err;
}

static int fill_copy(int fd, int (*write)(FILE *out, void *context),
		     void *context)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : fill(copy, write, context);
}

int output_folded(struct output *o, int (*write)(FILE *out, void *context),
		  void *context)
{
	int err;

	if (o->folded_to_stdout)
		err = fill_copy(STDOUT_FILENO, write, context);
	else if (o->folded_fd >= 0)
		err = fill_copy(o->folded_fd, write, context);
	else
		err = replace_file(o->folded, write, context);
	if (err == -EPIPE)
		return 0; /* the reader has seen enough */
	if (err)
		diag_error("cannot write %s: %s",
			   o->folded_to_stdout ? "standard output" : o->folded,
			   strerror(-err));
	return err;
}

int output_flush(struct output *o)
{
	int err = 0;

	if (!o->text)
		return 0;
	errno = 0;
	if (fflush(o->text) || ferror(o->text))
		err = errno ? -errno : -EIO;
	if (err && err != -EPIPE)
		diag_error("cannot write the report: %s", strerror(-err));
	return err;
}
