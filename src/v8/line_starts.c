/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/line_starts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 64

static int line_starts_here(struct line_starts *l, uint32_t start)
{
	size_t capacity;
	uint32_t *grown;

	if (l->count == l->max)
		return -E2BIG;
	if (l->count == l->capacity) {
		capacity = l->capacity ? 2 * l->capacity : CAPACITY_MIN;
		grown = reallocarray(l->starts, capacity, sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		l->starts = grown;
		l->capacity = capacity;
	}
	l->starts[l->count++] = start;
	return 0;
}

int line_starts_add(void *line_starts, const uint16_t *units, size_t count)
{
	struct line_starts *l = line_starts;
	int err = 0;

	for (size_t i = 0; i < count && !err; i++, l->units++) {
		uint16_t u = units[i];

		/* CR LF is one; a CR ends a line only when the next unit is
		 * known. */
		if (l->after_cr && u != '\n')
			err = line_starts_here(l, l->units);
		l->after_cr = u == '\r';
		if (!err && (u == '\n' || u == 0x2028 || u == 0x2029))
			err = line_starts_here(l, l->units + 1);
	}
	return err;
}

uint32_t line_starts_find(const struct line_starts *l, uint32_t offset,
			  uint32_t *line, uint32_t *column)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (l->starts[middle] <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	*line = (uint32_t)low;
	*column = offset - (low ? l->starts[low - 1] : 0);
	return (low < l->count ? l->starts[low] : l->units) -
	       (offset - *column);
}

void line_starts_free(struct line_starts *l)
{
	free(l->starts);
	memset(l, 0, sizeof(*l));
}
