/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A line of /proc/PID/maps (fs/proc/task_mmu.c, show_map_vma):
 *
 *   start-end perms offset major:minor inode      path
 *
 * all numbers but the inode in hexadecimal. The path runs to the end of the
 * line, blanks included; the kernel escapes line breaks in it as \012 and
 * nothing else, so a file whose name holds the four characters \012 looks the
 * same. An unlinked file gets " (deleted)" appended, and so does not differ
 * from a file that is named that way. Both are told apart where it matters, by
 * device and inode when the file is opened (process_open_mapping).
 */
#include "target/maps.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"

/* A path may be long and is escaped fourfold at worst; what is beyond is cut
 * off (the mapping itself stays usable through map_files). */
#define LINE_BYTES_MAX (4 * PATH_MAX + 128)
/* Lines looked at when most of them are not kept. vm.max_map_count is 65530
 * unless the administrator raised it. */
#define LINES_SCANNED_MAX (8u << 20)

static const char deleted_suffix[] = " (deleted)";

struct builder {
	struct maps *maps;
	size_t capacity;
	size_t scanned;
	bool executable_only;
};

/* Consumes digits of `base` (10 or 16); false when there are none or the
 * number exceeds 64 bits. */
static bool take_number(const char **at, const char *end, unsigned base,
			uint64_t *out)
{
	const char *start = *at;
	uint64_t value = 0;

	for (; *at < end; (*at)++) {
		unsigned digit;
		char c = **at;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (base == 16 && c >= 'a' && c <= 'f')
			digit = (unsigned)(c - 'a') + 10;
		else
			break;
		if (value > (UINT64_MAX - digit) / base)
			return false;
		value = value * base + digit;
	}
	*out = value;
	return *at > start;
}

static bool take_char(const char **at, const char *end, char c)
{
	if (*at >= end || **at != c)
		return false;
	(*at)++;
	return true;
}

static bool take_permissions(const char **at, const char *end,
			     struct mapping *m)
{
	const char *p = *at;

	if (end - p < 4 || (p[0] != 'r' && p[0] != '-') ||
	    (p[1] != 'w' && p[1] != '-') || (p[2] != 'x' && p[2] != '-') ||
	    (p[3] != 'p' && p[3] != 's'))
		return false;
	m->readable = p[0] == 'r';
	m->writable = p[1] == 'w';
	m->executable = p[2] == 'x';
	m->shared = p[3] == 's';
	*at += 4;
	return true;
}

/* Everything before the path. */
static bool take_fields(const char **at, const char *end, struct mapping *m)
{
	uint64_t major_number, minor_number, inode;

	if (!take_number(at, end, 16, &m->start) || !take_char(at, end, '-') ||
	    !take_number(at, end, 16, &m->end) || !take_char(at, end, ' ') ||
	    !take_permissions(at, end, m) || !take_char(at, end, ' ') ||
	    !take_number(at, end, 16, &m->file_offset) ||
	    !take_char(at, end, ' ') ||
	    !take_number(at, end, 16, &major_number) ||
	    !take_char(at, end, ':') ||
	    !take_number(at, end, 16, &minor_number) ||
	    !take_char(at, end, ' ') || !take_number(at, end, 10, &inode))
		return false;
	if (major_number > UINT32_MAX || minor_number > UINT32_MAX)
		return false;
	m->device = makedev((unsigned)major_number, (unsigned)minor_number);
	m->inode = (ino_t)inode;
	return m->start < m->end;
}

/* Undoes \012 and leaves every other byte alone. `to` holds size + 1 bytes. */
static size_t unescape(char *to, const char *from, size_t size)
{
	size_t used = 0;

	for (size_t i = 0; i < size; i++) {
		if (size - i >= 4 && !memcmp(from + i, "\\012", 4)) {
			to[used++] = '\n';
			i += 3;
		} else {
			to[used++] = from[i];
		}
	}
	to[used] = '\0';
	return used;
}

static bool strip_deleted(char *path, size_t *size)
{
	size_t suffix = sizeof(deleted_suffix) - 1;

	/* "> suffix": an empty name cannot have been deleted. */
	if (*size <= suffix ||
	    memcmp(path + *size - suffix, deleted_suffix, suffix))
		return false;
	*size -= suffix;
	path[*size] = '\0';
	return true;
}

/* The path, and whether it carries the suffix; 0 or -ENOMEM. */
static int take_path(const char *at, const char *end, struct mapping *m)
{
	CLEANUP_FREE char *path = NULL;
	const char *nul;
	size_t size;
	char *fitted;

	while (at < end && *at == ' ')
		at++;
	nul = memchr(at, '\0', (size_t)(end - at));
	if (nul)
		end = nul;
	path = malloc((size_t)(end - at) + 1);
	if (!path)
		return -ENOMEM;
	size = unescape(path, at, (size_t)(end - at));
	/* The suffix is only ever put on files. */
	m->deleted = m->inode && strip_deleted(path, &size);
	if (size >= PATH_MAX) {
		size = PATH_MAX - 1;
		path[size] = '\0';
	}
	fitted = realloc(path, size + 1);
	m->path = fitted ? fitted : path;
	path = NULL;
	return 0;
}

static int keep(struct builder *b, const struct mapping *m)
{
	struct maps *maps = b->maps;

	if (maps->count == b->capacity) {
		size_t capacity = b->capacity ? b->capacity * 2 : 64;
		struct mapping *list =
			realloc(maps->list, capacity * sizeof(*list));

		if (!list)
			return -ENOMEM;
		maps->list = list;
		b->capacity = capacity;
	}
	maps->list[maps->count++] = *m;
	return 0;
}

/* One line without its line break. Lines out of order or overlapping the one
 * before are as malformed as lines that do not parse. */
static int add_line(struct builder *b, const char *line, size_t size)
{
	struct maps *maps = b->maps;
	const char *at = line, *end = line + size;
	struct mapping m = {0};
	int err;

	b->scanned++;
	if (!take_fields(&at, end, &m) ||
	    (at < end && !take_char(&at, end, ' ')) ||
	    (maps->count && m.start < maps->list[maps->count - 1].end)) {
		maps->skipped++;
		return 0;
	}
	if (b->executable_only && !m.executable)
		return 0;
	if (maps->count >= MAPS_LINES_MAX) {
		maps->skipped++;
		return 0;
	}
	err = take_path(at, end, &m);
	if (!err)
		err = keep(b, &m);
	if (err)
		free(m.path);
	return err;
}

int maps_parse(struct maps *m, const char *text, size_t size)
{
	struct builder b = {.maps = m};
	int err = 0;

	*m = (struct maps){0};
	while (size && !err) {
		const char *newline = memchr(text, '\n', size);
		size_t line = newline ? (size_t)(newline - text) : size;

		err = add_line(&b, text, line);
		line += newline ? 1 : 0;
		text += line;
		size -= line;
	}
	if (err)
		maps_free(m);
	return err;
}

/* The next line, cut at LINE_BYTES_MAX; false at the end of the file. */
static bool next_line(FILE *f, char *line, size_t *size)
{
	size_t used;
	int c;

	if (!fgets(line, LINE_BYTES_MAX, f))
		return false;
	used = strlen(line);
	if (used && line[used - 1] == '\n')
		used--;
	else
		while ((c = getc(f)) != EOF && c != '\n')
			;
	*size = used;
	return true;
}

static int read_lines(struct builder *b, FILE *f)
{
	CLEANUP_FREE char *line = malloc(LINE_BYTES_MAX);
	size_t size;
	int err = 0;

	if (!line)
		return -ENOMEM;
	errno = 0;
	while (!err && b->scanned < LINES_SCANNED_MAX &&
	       next_line(f, line, &size))
		err = add_line(b, line, size);
	if (!err && ferror(f))
		err = errno ? -errno : -EIO;
	return err;
}

int maps_read(struct maps *m, pid_t pid, bool executable_only)
{
	struct builder b = {.maps = m, .executable_only = executable_only};
	CLEANUP_FCLOSE FILE *f = NULL;
	char path[64];
	int err;

	*m = (struct maps){0};
	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	err = read_lines(&b, f);
	/* A process without memory (gone meanwhile, or a zombie) has an empty
	 * list; a living one has at least its stack. */
	if (!err && !b.scanned)
		err = -ESRCH;
	if (err)
		maps_free(m);
	return err;
}

void maps_free(struct maps *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->list[i].path);
	free(m->list);
	*m = (struct maps){0};
}

const struct mapping *maps_find(const struct maps *m, uint64_t address)
{
	size_t low = 0, high = m->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct mapping *candidate = &m->list[middle];

		if (address < candidate->start)
			high = middle;
		else if (address >= candidate->end)
			low = middle + 1;
		else
			return candidate;
	}
	return NULL;
}
