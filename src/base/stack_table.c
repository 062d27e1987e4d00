/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/stack_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Multiplicative hashing (Knuth, vol. 3, 6.4), folded. */
static size_t home(const struct stack_table *t, uint32_t id)
{
	uint32_t h = id * 2654435769u;

	return (h ^ h >> 16) & (t->capacity - 1);
}

static struct stack_table_cell *find(const struct stack_table *t, uint32_t id)
{
	size_t i = home(t, id);

	while (t->cells[i].value && t->cells[i].id != id)
		i = (i + 1) & (t->capacity - 1);
	return &t->cells[i];
}

bool stack_table_get(const struct stack_table *t, uint32_t id, uint32_t *value)
{
	const struct stack_table_cell *c;

	if (!t->count)
		return false;
	c = find(t, id);
	if (!c->value)
		return false;
	*value = c->value - 1;
	return true;
}

static int grow(struct stack_table *t)
{
	struct stack_table larger = {
		.capacity = t->capacity ? 2 * t->capacity : 64,
		.count = t->count,
	};

	larger.cells = calloc(larger.capacity, sizeof(larger.cells[0]));
	if (!larger.cells)
		return -ENOMEM;
	for (size_t i = 0; i < t->capacity; i++)
		if (t->cells[i].value)
			*find(&larger, t->cells[i].id) = t->cells[i];
	free(t->cells);
	*t = larger;
	return 0;
}

int stack_table_put(struct stack_table *t, uint32_t id, uint32_t value)
{
	if (2 * (t->count + 1) > t->capacity) {
		int err = grow(t);

		if (err)
			return err;
	}
	*find(t, id) = (struct stack_table_cell){id, value + 1};
	t->count++;
	return 0;
}

void stack_table_clear(struct stack_table *t)
{
	if (t->capacity)
		memset(t->cells, 0, t->capacity * sizeof(t->cells[0]));
	t->count = 0;
}

void stack_table_free(struct stack_table *t)
{
	free(t->cells);
	memset(t, 0, sizeof(*t));
}
