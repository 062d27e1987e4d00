/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

int replace_create(const char *file, char *name, size_t size)
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

int replace_check(const char *file)
{
	char name[PATH_MAX];
	int fd = replace_create(file, name, sizeof(name));

	if (fd < 0)
		return fd;
	close(fd);
	unlink(name);
	return 0;
}
