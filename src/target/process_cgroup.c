/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/process_cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "target/proc_file.h"

#define GROUP_LEVELS_MAX  64
#define MOUNTS_LOOKED_AT  8 /* cgroup mounts, not all mounts */
#define CGROUP_TEXT_BYTES 16384

/* True when the comma-separated `list` holds `word`. */
static bool list_holds(const char *list, size_t list_size, const char *word)
{
	size_t length = strlen(word);
	const char *end = list + list_size;

	while (list < end) {
		const char *comma = memchr(list, ',', (size_t)(end - list));
		size_t item = (size_t)((comma ? comma : end) - list);

		if (item == length && !memcmp(list, word, length))
			return true;
		list += item + 1;
	}
	return false;
}

/* mountinfo escapes blanks, line breaks and backslashes in paths as three
 * octal digits (proc(5)). */
static void unescape_octal(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' &&
		    from[2] >= '0' && from[2] <= '7' && from[3] >= '0' &&
		    from[3] <= '7') {
			*to++ = (char)((from[1] - '0') << 6 |
				       (from[2] - '0') << 3 | (from[3] - '0'));
			from += 3;
		} else {
			*to++ = *from;
		}
	}
	*to = '\0';
}

/* "36 35 98:0 ROOT POINT rw,noatime OPTIONAL... - TYPE SOURCE SUPER" */
bool cgroup_mount_parse(const char *line, struct cgroup_mount *out)
{
	const char *dash = strstr(line, " - ");
	char type[32], super[512];

	if (!dash ||
	    sscanf(line, "%*s %*s %*s %4095s %4095s", out->root, out->point) !=
		    2 ||
	    sscanf(dash + 3, "%31s %*s %511s", type, super) != 2)
		return false;
	if (!strcmp(type, "cgroup2"))
		out->v2 = true;
	else if (!strcmp(type, "cgroup") &&
		 list_holds(super, strlen(super), "memory"))
		out->v2 = false;
	else
		return false;
	unescape_octal(out->root);
	unescape_octal(out->point);
	return true;
}

/* Lines "ID:CONTROLLERS:PATH"; v2 has ID 0 and no controllers. */
bool cgroup_path_parse(const char *text, bool v2, char *path, size_t size)
{
	for (const char *line = text; line && *line;) {
		const char *end = strchrnul(line, '\n');
		const char *first = memchr(line, ':', (size_t)(end - line));
		const char *second = first ? memchr(first + 1, ':',
						    (size_t)(end - first) - 1)
					   : NULL;

		if (second) {
			const char *list = first + 1;
			size_t list_size = (size_t)(second - list);
			size_t length = (size_t)(end - second) - 1;
			bool match = v2 ? !list_size
					: list_holds(list, list_size, "memory");

			if (match && length && length < size) {
				memcpy(path, second + 1, length);
				path[length] = '\0';
				return path[0] == '/';
			}
		}
		line = *end ? end + 1 : end;
	}
	return false;
}

/* What is wanted of the groups that a process is in. */
struct limits {
	uint64_t smallest;
	struct cgroup_room room;
};

/* A number in a file of a group; `key`: at the start of its line. */
static bool number_in(const char *directory, const char *name, const char *key,
		      uint64_t *value)
{
	CLEANUP_FREE char *text = malloc(CGROUP_TEXT_BYTES);
	char path[3 * 4096];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return text && file_read(path, text, CGROUP_TEXT_BYTES) > 0 &&
	       text_field(text, key, value);
}

static uint64_t used_in(const char *directory, bool v2)
{
	uint64_t used = 0, cache = 0;

	number_in(directory, v2 ? "memory.current" : "memory.usage_in_bytes",
		  "", &used);
	number_in(directory, "memory.stat",
		  v2 ? "inactive_file" : "total_inactive_file", &cache);
	return used > cache ? used - cache : 0;
}

static uint64_t left_of(const struct cgroup_room *r)
{
	return r->limit > r->used ? r->limit - r->used : 0;
}

static void look_at(const char *directory, bool v2, struct limits *out)
{
	struct cgroup_room here;

	/* "max" is no number; v1 shows a huge one. */
	if (!number_in(directory, v2 ? "memory.max" : "memory.limit_in_bytes",
		       "", &here.limit))
		return;
	if (here.limit < out->smallest)
		out->smallest = here.limit;
	here.used = used_in(directory, v2);
	if (left_of(&here) < left_of(&out->room))
		out->room = here;
}

/* The group's path below the mount point. A mount may show a part of the
 * hierarchy only (a container's own); groups outside are out of sight, as is
 * what a cgroup namespace prints as "/..": then the top that is visible. */
static const char *below_mount(const struct cgroup_mount *m, const char *path)
{
	size_t root = strlen(m->root);

	if (strstr(path, "/.."))
		return "";
	if (!strcmp(m->root, "/"))
		return path;
	if (!strncmp(path, m->root, root) &&
	    (path[root] == '/' || path[root] == '\0'))
		return path + root;
	return "";
}

static void look_upwards(const struct cgroup_mount *m, const char *path,
			 struct limits *out)
{
	char directory[2 * 4096];
	size_t top = strlen(m->point);

	snprintf(directory, sizeof(directory), "%s%s", m->point,
		 below_mount(m, path));
	for (int level = 0; level < GROUP_LEVELS_MAX; level++) {
		char *slash = strrchr(directory, '/');

		look_at(directory, m->v2, out);
		if (!slash || (size_t)(slash - directory) < top)
			break;
		*slash = '\0';
	}
}

static void find_limits(pid_t pid, struct limits *out)
{
	CLEANUP_FREE struct cgroup_mount *m = malloc(sizeof(*m));
	CLEANUP_FREE char *groups = malloc(CGROUP_TEXT_BYTES);
	CLEANUP_FCLOSE FILE *mounts = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	char path[4096];
	size_t line_size = 0;
	int found = 0;

	*out = (struct limits){UINT64_MAX, {UINT64_MAX, 0}};
	if (!m || !groups || !mounts ||
	    proc_read(pid, "cgroup", groups, CGROUP_TEXT_BYTES) <= 0)
		return;
	while (found < MOUNTS_LOOKED_AT &&
	       getline(&line, &line_size, mounts) > 0) {
		if (!cgroup_mount_parse(line, m))
			continue;
		found++;
		if (cgroup_path_parse(groups, m->v2, path, sizeof(path)))
			look_upwards(m, path, out);
	}
}

uint64_t process_cgroup_limit(pid_t pid)
{
	struct limits limits;

	find_limits(pid, &limits);
	return limits.smallest;
}

void process_cgroup_room(pid_t pid, struct cgroup_room *out)
{
	struct limits limits;

	find_limits(pid, &limits);
	*out = limits.room;
}
