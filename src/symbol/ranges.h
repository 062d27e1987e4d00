/* SPDX-License-Identifier: GPL-2.0-only */
/* Address ranges, sorted, that may lie within each other. */
#ifndef SYMBOL_RANGES_H
#define SYMBOL_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGES_MAX (8u << 20)

/* An address range of a unit (owner: index of it) or of a function (owner:
 * offset of its entry). Sorted by start. */
struct range {
	uint64_t start;
	uint64_t end;
	uint64_t max_end; /* highest end up to here */
	uint64_t owner;
};

struct range_list {
	struct range *list;
	size_t count;
	size_t capacity;
};

/* Room for one item more in a list of at most `limit`; false: there is none. */
bool ranges_reserve(void **list, size_t *capacity, size_t count, size_t item,
		    size_t limit);

bool ranges_add(struct range_list *r, uint64_t start, uint64_t end,
		uint64_t owner);
void ranges_sort(struct range_list *r);
/* In a sorted list of items that begin with a uint64_t, the index of the first
 * that is behind `address`. */
size_t starts_after(const void *list, size_t count, size_t item,
		    uint64_t address);
/* Index of the first range that starts behind `address`. */
size_t ranges_after(const struct range_list *r, uint64_t address);

#endif
