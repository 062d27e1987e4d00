// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "trace/probe_sets.h"

void probe_sets_init(struct probe_sets *sets)
{
	*sets = (struct probe_sets){0};
	for (int i = 0; i < PROBE_PHASES; i++)
		sets->open[i] = true;
}

static int set_probes(struct probe_set *s, pid_t pid)
{
	if (s->shared)
		return 0;
	if (pid == PROBES_OF_ALL)
		return probe_links_add_shared(&s->links, s->kind, s->program_fd,
					      s->object->fd, s->points,
					      s->count);
	return probe_links_add(&s->links, s->kind, s->program_fd, s->object->fd,
			       pid, s->is_return, s->points, s->count);
}

int probe_sets_add(struct probe_sets *sets, pid_t pid,
		   const struct probe_set *set)
{
	struct probe_set *grown, *s;
	int err = 0;

	if (!set->count)
		return 0;
	grown = realloc(sets->list, (sets->count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	sets->list = grown;
	s = &grown[sets->count];
	*s = *set;
	s->links = (struct probe_links){0};
	s->points = malloc(set->count * sizeof(*s->points));
	if (!s->points)
		return -ENOMEM;
	memcpy(s->points, set->points, set->count * sizeof(*s->points));
	if (sets->open[s->phase])
		err = set_probes(s, pid);
	if (err)
		free(s->points);
	else
		sets->count++;
	return err;
}

int probe_sets_open(struct probe_sets *sets, pid_t pid, enum probe_phase phase)
{
	struct probe_links links = {0};
	int err = 0;

	if (sets->open[phase])
		return 0;
	for (size_t i = 0; !err && i < sets->count; i++)
		if (sets->list[i].phase == phase)
			err = set_probes(&sets->list[i], pid);
	if (err) {
		probe_sets_close(sets, phase, &links);
		probe_links_close(&links);
	}
	sets->open[phase] = !err;
	return err;
}

void probe_sets_close(struct probe_sets *sets, enum probe_phase phase,
		      struct probe_links *links)
{
	for (size_t i = 0; i < sets->count; i++)
		if (sets->list[i].phase == phase)
			probe_links_take(links, &sets->list[i].links);
	sets->open[phase] = false;
}

void probe_sets_share(struct probe_sets *sets, const struct object *o,
		      bool throws, struct probe_links *links)
{
	for (size_t i = 0; i < sets->count; i++) {
		struct probe_set *s = &sets->list[i];

		if (!probe_set_is_of(s, o, throws))
			continue;
		probe_links_take(links, &s->links);
		s->shared = true;
	}
}

int probe_sets_unshare(struct probe_sets *sets, pid_t pid,
		       const struct object *o, bool throws)
{
	int err = 0;

	for (size_t i = 0; i < sets->count; i++) {
		struct probe_set *s = &sets->list[i];

		if (!probe_set_is_of(s, o, throws) || !s->shared)
			continue;
		s->shared = false;
		if (sets->open[s->phase] && !err)
			err = set_probes(s, pid);
	}
	return err;
}

bool probe_sets_have(const struct probe_sets *sets, const struct object *o,
		     bool throws)
{
	for (size_t i = 0; i < sets->count; i++)
		if (probe_set_is_of(&sets->list[i], o, throws))
			return true;
	return false;
}

void probe_sets_remove(struct probe_sets *sets, const struct object *o,
		       bool throws, struct probe_links *links)
{
	size_t kept = 0;

	for (size_t i = 0; i < sets->count; i++) {
		struct probe_set s = sets->list[i];

		if (!probe_set_is_of(&s, o, throws)) {
			sets->list[kept++] = s;
			continue;
		}
		probe_links_take(links, &s.links);
		free(s.points);
	}
	sets->count = kept;
}

void probe_sets_release(struct probe_sets *sets, struct probe_links *links)
{
	for (size_t i = 0; i < sets->count; i++) {
		probe_links_take(links, &sets->list[i].links);
		free(sets->list[i].points);
	}
	free(sets->list);
	probe_sets_init(sets);
}

void probe_sets_release_object(struct probe_sets *sets, const struct object *o,
			       struct probe_links *links)
{
	size_t kept = 0;

	for (size_t i = 0; i < sets->count; i++) {
		struct probe_set *s = &sets->list[i];

		if (s->object != o) {
			sets->list[kept++] = *s;
			continue;
		}
		probe_links_take(links, &s->links);
		free(s->points);
	}
	sets->count = kept;
}

void probe_sets_clear(struct probe_sets *sets)
{
	struct probe_links links = {0};

	probe_sets_release(sets, &links);
	probe_links_close(&links);
}
