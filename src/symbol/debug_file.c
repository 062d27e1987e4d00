/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/debug_file.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "symbol/target_root.h"

#define DEBUG_DIRECTORY "/usr/lib/debug"

/* Opens `path` below one root. Only ELF files are handed out: a worker gone
 * astray must not be able to have, say, a key file read to it. */
static int open_elf(int root, const char *path)
{
	char magic[SELFMAG];
	int fd = root < 0 ? -ENOENT : open_inside(root, path, true);

	if (fd < 0)
		return fd;
	if (pread(fd, magic, sizeof(magic), 0) != (ssize_t)sizeof(magic) ||
	    memcmp(magic, ELFMAG, SELFMAG)) {
		close(fd);
		return -ENOEXEC;
	}
	return fd;
}

/* `path` below this system's debug directory, then below the target's. */
static int open_in_debug_directories(const struct debug_search *where,
				     const char *path)
{
	char inside[PATH_MAX];
	int fd = open_elf(where->directory, path);

	if (fd >= 0)
		return fd;
	if (snprintf(inside, sizeof(inside), DEBUG_DIRECTORY "/%s", path) >=
	    (int)sizeof(inside))
		return -ENAMETOOLONG;
	return open_elf(where->target_root, inside);
}

static int by_build_id(const struct debug_search *where, const uint8_t *id,
		       size_t size)
{
	char path[32 + 2 * WIRE_NAME_MAX];
	int at;

	if (size < 2)
		return -EINVAL;
	at = snprintf(path, sizeof(path), ".build-id/%02x/", id[0]);
	for (size_t i = 1; i < size; i++)
		at += snprintf(path + at, sizeof(path) - (size_t)at, "%02x",
			       id[i]);
	snprintf(path + at, sizeof(path) - (size_t)at, ".debug");
	return open_in_debug_directories(where, path);
}

/* DIR/NAME, DIR/.debug/NAME, then <debug directory>/DIR/NAME, as gdb does. */
static int by_link(const struct debug_search *where, const char *name)
{
	char path[PATH_MAX];
	const char *object = where->object_path;
	const char *slash = strrchr(object, '/');
	int directory = slash ? (int)(slash - object) : 0;
	static const char *const between[] = {"/", "/.debug/"};

	if (object[0] != '/' || strchr(name, '/') || !strcmp(name, ".") ||
	    !strcmp(name, ".."))
		return -EINVAL;
	for (size_t i = 0; i < 2; i++) {
		/* A link to the object's own name means .debug/. */
		if (i == 0 && !strcmp(slash + 1, name))
			continue;
		if (snprintf(path, sizeof(path), "%.*s%s%s", directory, object,
			     between[i], name) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		int fd = open_elf(where->target_root, path);
		if (fd >= 0)
			return fd;
	}
	if (snprintf(path, sizeof(path), "%.*s/%s", directory, object, name) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	return open_in_debug_directories(where, path);
}

/* dwz names its shared file by a path like ../../.dwz/package.debug. */
static int by_dwz(const struct debug_search *where, const char *path)
{
	const char *tail = strstr(path, "/.dwz/");

	if (!tail || strstr(tail, "/../"))
		return -EINVAL;
	return open_in_debug_directories(where, tail + 1);
}

int debug_file_open(const struct debug_search *where,
		    const struct wire_want *want)
{
	char name[WIRE_NAME_MAX + 1];

	if (want->size == 0 || want->size > WIRE_NAME_MAX)
		return -EINVAL;
	memcpy(name, want->name, want->size);
	name[want->size] = '\0';
	switch (want->kind) {
	case WANT_BUILD_ID:
		return by_build_id(where, want->name, want->size);
	case WANT_DEBUGLINK:
		return by_link(where, name);
	case WANT_DWZ:
		return by_dwz(where, name);
	default:
		return -EINVAL;
	}
}
