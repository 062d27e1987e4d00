/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/ranges.h"

#include <stdlib.h>

bool ranges_reserve(void **list, size_t *capacity, size_t count, size_t item,
		    size_t limit)
{
	size_t wanted = *capacity ? 2 * *capacity : 64;

	if (count < *capacity)
		return true;
	if (count >= limit)
		return false;
	void *grown = realloc(*list, wanted * item);
	if (!grown)
		return false;
	*list = grown;
	*capacity = wanted;
	return true;
}

bool ranges_add(struct range_list *r, uint64_t start, uint64_t end,
		uint64_t owner)
{
	if (!ranges_reserve((void **)&r->list, &r->capacity, r->count,
			    sizeof(*r->list), RANGES_MAX))
		return false;
	r->list[r->count++] = (struct range){start, end, 0, owner};
	return true;
}

static int by_start(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	return x->end > y->end ? -1 : x->end < y->end; /* outer one first */
}

void ranges_sort(struct range_list *r)
{
	uint64_t max_end = 0;

	if (r->count)
		qsort(r->list, r->count, sizeof(*r->list), by_start);
	for (size_t i = 0; i < r->count; i++) {
		if (r->list[i].end > max_end)
			max_end = r->list[i].end;
		r->list[i].max_end = max_end;
	}
}

size_t starts_after(const void *list, size_t count, size_t item,
		    uint64_t address)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint64_t *start =
			(const void *)((const char *)list + middle * item);

		if (*start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t ranges_after(const struct range_list *r, uint64_t address)
{
	return starts_after(r->list, r->count, sizeof(*r->list), address);
}
