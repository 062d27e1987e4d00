/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/number_set.h"

#include <stdlib.h>

void number_set_add(struct number_set *s, uint64_t number)
{
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? 2 * s->capacity : 4096;
		uint64_t *list = realloc(s->list, capacity * sizeof(*list));

		if (!list) {
			s->failed = true;
			return;
		}
		s->list = list;
		s->capacity = capacity;
	}
	s->list[s->count++] = number;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return (one > other) - (one < other);
}

void number_set_sort(struct number_set *s)
{
	size_t kept = 0;

	if (s->count)
		qsort(s->list, s->count, sizeof(*s->list), compare);
	for (size_t i = 0; i < s->count; i++)
		if (!kept || s->list[i] != s->list[kept - 1])
			s->list[kept++] = s->list[i];
	s->count = kept;
}

bool number_set_has(const struct number_set *s, uint64_t number)
{
	return s->count &&
	       bsearch(&number, s->list, s->count, sizeof(*s->list), compare);
}

void number_set_free(struct number_set *s)
{
	free(s->list);
	*s = (struct number_set){0};
}
