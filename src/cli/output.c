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
#include "base/replace.h"

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

static int prepare_file(struct output_file *f)
{
	struct stat st;

	if (stat(f->path, &st)) {
		if (errno != ENOENT)
			return -errno;
		return replace_check(f->path);
	}
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode))
		return replace_check(f->path);
	f->fd = open_special(f->path);
	return f->fd < 0 ? f->fd : 0;
}

static int check_stdout(void)
{
	int flags = fcntl(STDOUT_FILENO, F_GETFL);

	if (flags < 0)
		return -errno;
	return (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
}

static int open_file(struct output_file *f, const char *path)
{
	int err;

	f->path = path;
	f->to_stdout = path && !strcmp(path, "-");
	if (!path || f->to_stdout)
		return 0;
	err = prepare_file(f);
	if (err)
		diag_error("cannot write %s: %s%s", path, strerror(-err),
			   err == -ENXIO ? " (nobody reads this pipe)" : "");
	return err;
}

int output_open(struct output *o, const char *const paths[REPORT_FORMATS],
		bool quiet)
{
	int err = check_stdout();

	o->text = stdout;
	for (int i = 0; i < REPORT_FORMATS; i++)
		o->files[i] = (struct output_file){.fd = -1};
	if (err)
		diag_error("cannot write to standard output: %s",
			   strerror(-err));
	for (int i = 0; i < REPORT_FORMATS && !err; i++) {
		err = open_file(&o->files[i], paths[i]);
		if (o->files[i].to_stdout)
			o->text = quiet ? NULL : stderr;
	}
	return err;
}

int output_check(const struct output *o)
{
	int first = 0;

	for (int i = 0; i < REPORT_FORMATS; i++) {
		const struct output_file *f = &o->files[i];
		int err = f->path && !f->to_stdout && f->fd < 0
				  ? replace_check(f->path)
				  : 0;

		if (err)
			diag_error("cannot write %s: %s", f->path,
				   strerror(-err));
		if (!first)
			first = err;
	}
	return first;
}

void output_close(struct output *o)
{
	for (int i = 0; i < REPORT_FORMATS; i++) {
		if (o->files[i].path && o->files[i].fd >= 0)
			close(o->files[i].fd);
		o->files[i].fd = -1;
	}
}

bool output_due(const struct output *o, enum report_format format, bool final)
{
	const struct output_file *f = &o->files[format];

	return f->path && (final || (!f->to_stdout && f->fd < 0));
}

bool output_any_due(const struct output *o, bool final)
{
	for (int i = 0; i < REPORT_FORMATS; i++)
		if (output_due(o, (enum report_format)i, final))
			return true;
	return false;
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
	int err, fd = replace_create(file, name, sizeof(name));

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

int output_write(struct output *o, enum report_format format,
		 int (*write)(FILE *out, void *context), void *context)
{
	const struct output_file *f = &o->files[format];
	int err;

	if (f->to_stdout)
		err = fill_copy(STDOUT_FILENO, write, context);
	else if (f->fd >= 0)
		err = fill_copy(f->fd, write, context);
	else
		err = replace_file(f->path, write, context);
	if (err == -EPIPE)
		return 0; /* the reader has seen enough */
	if (err)
		diag_error("cannot write %s: %s",
			   f->to_stdout ? "standard output" : f->path,
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
