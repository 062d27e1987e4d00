// SPDX-License-Identifier: GPL-2.0-only
#include "trace/bystanders.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "trace/tracer_internal.h"

bool bystanders_same_file(const struct object *a, const struct object *b)
{
	return a == b ||
	       (a->inode == b->inode && a->image_size == b->image_size &&
		a->build_id_size == b->build_id_size &&
		!memcmp(a->build_id, b->build_id, a->build_id_size));
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* By number and name: rather one too many than too few. */
static bool maps_file(pid_t pid, const struct object *o)
{
	struct maps maps;
	bool found = false;

	if (maps_read(&maps, pid, true))
		return false;
	for (size_t i = 0; !found && i < maps.count; i++)
		found = maps.list[i].inode == o->inode &&
			!strcmp(name_of(maps.list[i].path), name_of(o->path));
	maps_free(&maps);
	return found;
}

static bool is_own(pid_t pid, const struct stat *own)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return stat(path, &st) ||
	       (st.st_dev == own->st_dev && st.st_ino == own->st_ino);
}

static bool is_traced(struct tracer *t, pid_t pid)
{
	const struct tracee *e = tracee_find(t, pid);

	return e && e->alive;
}

struct mapping_processes bystanders_count(struct tracer *t,
					  const struct object *o, size_t most)
{
	const struct tracer_options *options = &t->options;
	struct mapping_processes found = {0};
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	struct stat own = {0};

	if (!proc || stat("/proc/self/exe", &own))
		found.bystanders = most;
	while (proc && found.bystanders < most && (entry = readdir(proc))) {
		pid_t pid = isdigit((unsigned char)entry->d_name[0])
				    ? atoi(entry->d_name)
				    : 0;

		if (!pid || is_traced(t, pid) || is_own(pid, &own) ||
		    !maps_file(pid, o))
			continue;
		if (options->selected &&
		    options->selected(options->context, pid))
			found.coming++;
		else
			found.bystanders++;
	}
	if (proc)
		closedir(proc);
	return found;
}
