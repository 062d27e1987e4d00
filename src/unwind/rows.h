/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists of rows, and what is added to a table that CFI does not tell. */
#ifndef UNWIND_ROWS_H
#define UNWIND_ROWS_H

#include <stddef.h>
#include <stdint.h>

#include "unwind/unwind_table.h"

struct row_list {
	struct unwind_row *list;
	size_t count, room;
};

/* 0, -ENOMEM, or -E2BIG beyond `limit`. */
int row_list_add(struct row_list *l, uint32_t pc, uint32_t rule, size_t limit);
/* The same for an ascending list: a row at the same address replaces the last
 * one, a row with the same rule is left out. */
int row_list_append(struct row_list *l, uint32_t pc, uint32_t rule,
		    size_t limit);

/* A range that changes the rules of a table. */
struct row_overlay {
	uint32_t start, end; /* relative to text_base */
	uint32_t rule;	     /* replaces UNWIND_NONE; 0: leaves it */
	uint32_t flags;	     /* added to the rule */
};

/* Sorts the overlays; of overlapping ones the first keeps its range. */
int rows_overlay(struct unwind_table *t, struct row_overlay *o, size_t count,
		 size_t limit);
/* Leaves out the UNWIND_NONE rows of padding between functions: a fifth of
 * all rows, and as many neighbours then turn out to be equal. */
void rows_drop_padding(struct unwind_table *t);
/* musl's signal return stub has no CFI: it is known by its instructions, and
 * only looked for where there is none. */
int rows_add_signal_stubs(struct unwind_table *t, const struct object *o,
			  size_t limit);
/* See unwind_table_build. */
int rows_add_marks(struct unwind_table *t, uint64_t text_base,
		   uint64_t text_end, const struct unwind_mark *marks,
		   size_t mark_count, size_t limit);

#endif
