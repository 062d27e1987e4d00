// SPDX-License-Identifier: GPL-2.0-only
#include "trace/window_owners.h"

#include <errno.h>
#include <stdlib.h>

#include "trace/tracer_internal.h"

static int by_number(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, two = *(const uint32_t *)b;

	return (one > two) - (one < two);
}

int window_owners_find(const struct tracer *t, const struct tracee *e,
		       struct window_owners *out)
{
	*out = (struct window_owners){
		.list = calloc(t->tracee_count + 1, sizeof(*out->list)),
	};
	if (!out->list)
		return -ENOMEM;
	for (size_t i = 0; i < t->tracee_count; i++) {
		const struct tracee *other = t->tracees[i];

		if (other == e || (e == t->sharing.all && other->shared))
			out->list[out->count++] = (uint32_t)other->pid;
	}
	qsort(out->list, out->count, sizeof(*out->list), by_number);
	return 0;
}

void window_owners_free(struct window_owners *o)
{
	free(o->list);
	*o = (struct window_owners){0};
}

bool window_owners_have(const struct window_owners *o,
			const struct stack_stats *s)
{
	return s->alloc_samples && s->source == STACK_SOURCE_NATIVE &&
	       bsearch(&s->tgid, o->list, o->count, sizeof(*o->list),
		       by_number);
}
