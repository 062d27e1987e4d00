/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The live view (`leakbpf top`) without a terminal: what is shown of a report,
 * in which order, and what keys change. Drawn by screen.h.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "report/report.h"

enum top_order {
	TOP_BY_GROWTH,
	TOP_BY_BYTES,
	TOP_BY_OBJECTS,
	TOP_BY_AGE,
	TOP_ORDERS
};

/* Keys, told apart from how a terminal sends them; others are characters. */
enum top_key {
	TOP_KEY_UP = 0x110000, /* above all characters */
	TOP_KEY_DOWN,
	TOP_KEY_PAGE_UP,
	TOP_KEY_PAGE_DOWN,
	TOP_KEY_HOME,
	TOP_KEY_END,
	TOP_KEY_ENTER,
	TOP_KEY_ESCAPE,
	TOP_KEY_BACKSPACE,
};

/* A line of the list: a stack, or, below an expanded one, a level of it. */
struct top_row {
	const struct profile_stack *stack; /* until the next snapshot */
	uint32_t id;			   /* of the stack */
	/* The level: frame and place in its symbol; TOP_ROW_STACK: the stack
	 * itself; TOP_ROW_END: why the stack is not complete. */
	uint32_t frame;
	uint32_t level;
};
#define TOP_ROW_STACK UINT32_MAX
#define TOP_ROW_END   (UINT32_MAX - 1)

#define TOP_FILTER_BYTES 64

struct top_view {
	enum top_order order;
	char filter[TOP_FILTER_BYTES]; /* part of a name, any case; "": all */
	bool editing_filter;
	bool paused, help, quit;

	struct top_row *rows;
	size_t row_count, row_capacity;
	size_t stacks, stacks_hidden; /* by the filter */
	size_t cursor;		      /* row */
	size_t first;		      /* row at the top of the list */

	uint32_t *expanded; /* stack ids */
	size_t expanded_count, expanded_capacity;
};

void top_view_free(struct top_view *v);

/* Lists `r` anew; the cursor stays on its stack if that is still there. Rows
 * refer to the report's profile. Resolves the names that it needs, which with
 * a filter are all. 0 or -ENOMEM. */
int top_view_update(struct top_view *v, const struct report *r);

/* `page`: rows that the list shows at a time. True when the rows have to be
 * listed anew. */
bool top_view_key(struct top_view *v, int key, size_t page);

/* Moves `first` so that the cursor is among `page` rows. */
void top_view_scroll(struct top_view *v, size_t page);

const char *top_order_name(enum top_order order);

#endif
