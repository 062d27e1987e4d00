/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/cgroup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "target/proc_file.h"
#include "target/process_cgroup.h"

#define CGROUP_TEXT_BYTES 16384

/* Without slashes at the end or doubled, without "." and "..", which are not
 * needed and would only confuse comparisons. */
static bool normalise(const char *text, char to[CGROUP_PATH_BYTES])
{
	size_t used = 0;

	while (*text) {
		size_t size = strcspn(text, "/");

		if ((size == 1 && text[0] == '.') ||
		    (size == 2 && text[0] == '.' && text[1] == '.') ||
		    used + size + 2 > CGROUP_PATH_BYTES)
			return false;
		if (size) {
			to[used++] = '/';
			memcpy(to + used, text, size);
			used += size;
		}
		text += size + (text[size] == '/');
	}
	if (!used)
		to[used++] = '/';
	to[used] = '\0';
	return true;
}

/* What of `path` lies below `top`; NULL: it does not. */
static const char *below(const char *top, const char *path)
{
	size_t size = strcmp(top, "/") ? strlen(top) : 0;

	if (strncmp(path, top, size) || (path[size] && path[size] != '/'))
		return NULL;
	return path + size;
}

static bool exists(const struct cgroup_mount *m, const char *rest)
{
	char path[2 * CGROUP_PATH_BYTES];
	struct stat st;

	snprintf(path, sizeof(path), "%s%s", m->point, rest);
	return !stat(path, &st) && S_ISDIR(st.st_mode);
}

/* `rest` is below what the mount shows. */
static bool place_in(const struct cgroup_mount *m, const char *rest,
		     struct cgroup_place *out)
{
	const char *root = strcmp(m->root, "/") ? m->root : "";

	out->v2 = m->v2;
	out->exists = exists(m, rest);
	if (strlen(root) + strlen(rest) >= sizeof(out->path))
		return false;
	strcpy(out->path, root);
	strcat(out->path, rest);
	if (!out->path[0])
		strcpy(out->path, "/");
	return true;
}

/* How well a mount suits: as a directory above the path it is meant for sure,
 * else v2 is. */
static int suits(const struct cgroup_mount *m, const char *path, bool absolute)
{
	if (absolute && strcmp(m->point, "/") && below(m->point, path))
		return 3;
	return m->v2 ? 2 : 1;
}

/* How well the best mount suits; 0: there is none. */
static int search(const char *path, bool absolute, struct cgroup_place *out)
{
	CLEANUP_FREE struct cgroup_mount *m = malloc(sizeof(*m));
	CLEANUP_FCLOSE FILE *mounts = fopen("/proc/self/mountinfo", "re");
	CLEANUP_FREE char *line = NULL;
	size_t line_size = 0;
	int best = 0;

	while (m && mounts && getline(&line, &line_size, mounts) > 0) {
		int score;

		if (!cgroup_mount_parse(line, m))
			continue;
		score = suits(m, path, absolute);
		if (score > best &&
		    place_in(m, score == 3 ? below(m->point, path) : path, out))
			best = score;
	}
	return best;
}

int cgroup_find(const char *text, struct cgroup_place *out)
{
	char path[CGROUP_PATH_BYTES];
	int best;

	*out = (struct cgroup_place){0};
	if (!*text || !normalise(text, path))
		return -EINVAL;
	best = search(path, text[0] == '/', out);
	/* A directory, but not one of those. */
	if (best && best < 3 && below("/sys/fs/cgroup", path))
		return -EINVAL;
	return best ? 0 : -ENOENT;
}

bool cgroup_holds(const struct cgroup_place *group, const char *path)
{
	return below(group->path, path) != NULL;
}

bool cgroup_of_process(pid_t pid, bool v2, char path[CGROUP_PATH_BYTES])
{
	CLEANUP_FREE char *text = malloc(CGROUP_TEXT_BYTES);

	return text && proc_read(pid, "cgroup", text, CGROUP_TEXT_BYTES) > 0 &&
	       cgroup_path_parse(text, v2, path, CGROUP_PATH_BYTES);
}
