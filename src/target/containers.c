/* SPDX-License-Identifier: GPL-2.0-only */
#include "target/containers.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "target/cgroup.h"
#include "target/container_names.h"

#define GROUPS_MAX 1024 /* remembered; a power of two */
/* What could not be found out is tried again: runtimes write their files about
 * when they start the first process. */
#define RETRY_NS 2000000000ULL

struct known_group {
	char *path; /* NULL: free */
	uint64_t asked_ns;
	struct container container;
};

struct containers {
	struct known_group groups[GROUPS_MAX];
	size_t count;
};

struct containers *containers_new(void)
{
	return calloc(1, sizeof(struct containers));
}

static void forget_all(struct containers *c)
{
	for (size_t i = 0; i < GROUPS_MAX; i++)
		free(c->groups[i].path);
	memset(c, 0, sizeof(*c));
}

void containers_free(struct containers *c)
{
	if (c)
		forget_all(c);
	free(c);
}

/* FNV-1a */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash;
}

static struct known_group *group_at(struct containers *c, const char *path)
{
	size_t at = hash_of(path) & (GROUPS_MAX - 1);

	if (c->count > GROUPS_MAX / 4 * 3)
		forget_all(c);
	while (c->groups[at].path && strcmp(c->groups[at].path, path))
		at = (at + 1) & (GROUPS_MAX - 1);
	if (!c->groups[at].path) {
		c->groups[at].path = strdup(path);
		c->count += c->groups[at].path != NULL;
	}
	return c->groups[at].path ? &c->groups[at] : NULL;
}

static void ask(const char *path, struct container *out)
{
	if (!container_of_cgroup(path, out) && strcmp(path, "/"))
		container_started_plainly("", path, out);
	container_look_up("", out);
}

/* True: the group is that of a container. */
static bool by_group(struct containers *c, const char *path,
		     struct container *out)
{
	struct known_group *g = group_at(c, path);
	uint64_t now = monotonic_ns();

	*out = (struct container){0};
	if (!g)
		return false;
	if (!g->asked_ns ||
	    (!g->container.name[0] && now - g->asked_ns > RETRY_NS)) {
		ask(path, &g->container);
		g->asked_ns = now;
	}
	*out = g->container;
	return out->runtime[0] != '\0';
}

uint64_t containers_of_process(struct containers *c, pid_t pid,
			       struct container *out)
{
	char path[CGROUP_PATH_BYTES], other[CGROUP_PATH_BYTES];
	bool any = cgroup_of_process(pid, true, path);

	*out = (struct container){0};
	if (any && by_group(c, path, out))
		return hash_of(out->id[0] ? out->id : path);
	if (cgroup_of_process(pid, false, other)) {
		if (by_group(c, other, out))
			return hash_of(out->id[0] ? out->id : other);
		if (!any || !strcmp(path, "/"))
			return hash_of(other);
	}
	return any ? hash_of(path) : 0;
}
