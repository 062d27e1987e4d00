/* SPDX-License-Identifier: GPL-2.0-only */
/* Stack id -> number: open addressing, at most half full. Entries are not
 * removed one by one. */
#ifndef BASE_STACK_TABLE_H
#define BASE_STACK_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stack_table_cell {
	uint32_t id;
	uint32_t value; /* + 1; 0: cell unused */
};

struct stack_table {
	struct stack_table_cell *cells;
	size_t capacity; /* power of two, or 0 */
	size_t count;
};

bool stack_table_get(const struct stack_table *t, uint32_t id, uint32_t *value);
/* `id` must not be in it. 0 or -ENOMEM. */
int stack_table_put(struct stack_table *t, uint32_t id, uint32_t value);
void stack_table_clear(struct stack_table *t); /* keeps the memory */
void stack_table_free(struct stack_table *t);

#endif
