// SPDX-License-Identifier: GPL-2.0-only
/* Stacks that turn out to be others, or parts of others: see merge.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profile/profile_internal.h"

static struct entry **find(struct profile *p, uint32_t id)
{
	uint32_t at;

	return stack_table_get(&p->index, id, &at) ? &p->list[at] : NULL;
}

int profile_reframe(struct profile *p, uint32_t id,
		    const struct stack_frames *f)
{
	struct entry **place = find(p, id), *e;
	uint32_t depth =
		f->depth < STACK_FRAMES_MAX ? f->depth : STACK_FRAMES_MAX;

	if (!place)
		return 0;
	e = realloc(*place, sizeof(*e) + depth * sizeof(uint64_t));
	if (!e)
		return -ENOMEM;
	*place = e;
	memcpy(e->frames, f->frames, depth * sizeof(uint64_t));
	e->view.frames = e->frames;
	e->view.depth = depth;
	return 0;
}

void profile_absorb(struct profile *p, uint32_t into, uint32_t from)
{
	struct entry **to = find(p, into), **place = find(p, from);

	if (!to || !place)
		return;
	for (size_t i = 0; i < p->points; i++)
		(*to)->live[i] += (*place)->live[i];
	series_sum(&(*to)->history.series, &(*place)->history.series,
		   p->history_times.count);
	for (int i = 0; i < COHORTS; i++)
		(*to)->settled[i] += (*place)->settled[i];
	(*to)->history.allocated += (*place)->history.allocated;
	(*to)->history.freed += (*place)->history.freed;
	/* Nobody adds `from` again: the end of the snapshot forgets it. */
}
