/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/perf_map.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

#define FILE_MAX  (256u << 20)
#define PIECE_MAX 65536
#define NAMES_MAX (1u << 20)

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* A hexadecimal number, "0x" allowed, followed by a blank. */
static bool take_hex(const char **at, const char *end, uint64_t *value)
{
	const char *p = *at;
	unsigned digits = 0;

	*value = 0;
	if (end - p > 2 && p[0] == '0' && (p[1] == 'x' || p[1] == 'X'))
		p += 2;
	for (; p < end && *p != ' ' && *p != '\t'; p++, digits++) {
		int digit = hex_digit(*p);

		if (digit < 0 || digits >= 16)
			return false;
		*value = *value << 4 | (unsigned)digit;
	}
	if (!digits || p == end)
		return false;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	*at = p;
	return true;
}

/* Index of the first match with an address >= `address`. */
static size_t lower_bound(const struct perf_map_reader *r, uint64_t address)
{
	size_t low = 0, high = r->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->matches[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void set_name(struct perf_match *m, uint64_t start, const char *name,
		     size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		return;
	memcpy(copy, name, size);
	copy[size] = '\0';
	free(m->name);
	m->name = copy;
	m->start = start;
}

static void take_line(struct perf_map_reader *r)
{
	const char *at = r->line, *end = r->line + r->line_size;
	uint64_t start, size;

	if (!take_hex(&at, end, &start) || !take_hex(&at, end, &size) ||
	    at == end)
		return;
	size_t name = (size_t)(end - at);
	if (name > PERF_MAP_NAME_MAX)
		name = PERF_MAP_NAME_MAX;
	for (size_t i = lower_bound(r, start);
	     i < r->count && r->matches[i].address - start < size &&
	     r->names_taken < NAMES_MAX;
	     i++, r->names_taken++)
		set_name(&r->matches[i], start, at, name);
}

void perf_map_finish(struct perf_map_reader *r)
{
	take_line(r);
	r->line_size = 0;
}

void perf_map_feed(struct perf_map_reader *r, const char *bytes, size_t size)
{
	const char *end = bytes + size;

	while (bytes < end) {
		const char *newline =
			memchr(bytes, '\n', (size_t)(end - bytes));
		size_t part = (size_t)((newline ? newline : end) - bytes);
		size_t room = sizeof(r->line) - r->line_size;

		size_t taken = part < room ? part : room;

		memcpy(r->line + r->line_size, bytes, taken);
		r->line_size += taken;
		if (!newline)
			return;
		perf_map_finish(r);
		bytes = newline + 1;
	}
}

int perf_map_read(struct perf_map_reader *r, int fd)
{
	CLEANUP_FREE char *piece = malloc(PIECE_MAX);
	size_t total = 0;

	if (!piece)
		return -ENOMEM;
	while (total < FILE_MAX) {
		ssize_t got = read(fd, piece, PIECE_MAX);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			break;
		perf_map_feed(r, piece, (size_t)got);
		total += (size_t)got;
	}
	/* A last line without newline may be half written: not taken. */
	return 0;
}

static bool owner_fits(const struct target_root *target, uid_t owner)
{
	if (owner == 0)
		return true;
	for (size_t i = 0; i < 4; i++)
		if (target->uids[i] == owner)
			return true;
	return false;
}

int perf_map_open(const struct target_root *target)
{
	char path[64];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "/tmp/perf-%d.map",
		 (int)target->inner_pid);
	fd = open_inside(target->fd, path, false);
	if (fd < 0)
		return fd;
	/* /tmp is everybody's: another user may have left a file there. */
	if (fstat(fd, &st) || !owner_fits(target, st.st_uid)) {
		close(fd);
		return -EPERM;
	}
	return fd;
}
