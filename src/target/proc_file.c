/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/proc_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

ssize_t file_read(const char *path, char *text, size_t size)
{
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	size_t used = 0;

	if (fd < 0)
		return -errno;
	while (used + 1 < size) {
		ssize_t got = read(fd, text + used, size - 1 - used);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
	return (ssize_t)used;
}

ssize_t proc_read(pid_t pid, const char *name, char *text, size_t size)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return file_read(path, text, size);
}

static const char *next_line(const char *text)
{
	const char *newline = strchr(text, '\n');

	return newline ? newline + 1 : NULL;
}

bool text_field(const char *text, const char *key, uint64_t *value)
{
	size_t length = strlen(key);

	for (const char *line = text; line; line = next_line(line)) {
		const char *at = line + length;
		char *end;

		if (strncmp(line, key, length))
			continue;
		while (*at == ' ' || *at == '\t')
			at++;
		if (!isdigit((unsigned char)*at))
			return false;
		errno = 0;
		*value = strtoull(at, &end, 10);
		return !errno;
	}
	return false;
}

int proc_stat_parse(const char *text, struct proc_stat *s)
{
	const char *after_name = strrchr(text, ')');
	int fields;

	*s = (struct proc_stat){0};
	if (!after_name)
		return -EINVAL;
	/* Fields 3 state, 9 flags, 14 utime, 15 stime, 22 starttime. */
	fields = sscanf(after_name + 1,
			" %c %*d %*d %*d %*d %*d %" SCNu32
			" %*u %*u %*u %*u %" SCNu64 " %" SCNu64
			" %*d %*d %*d %*d %*d %*d %" SCNu64,
			&s->state, &s->flags, &s->user_ticks, &s->system_ticks,
			&s->start_time_ticks);
	return fields == 5 ? 0 : -EINVAL;
}

int proc_stat_read(pid_t pid, struct proc_stat *s)
{
	char text[1024];
	ssize_t got = proc_read(pid, "stat", text, sizeof(text));

	return got < 0 ? (int)got : proc_stat_parse(text, s);
}
