// SPDX-License-Identifier: GPL-2.0-only
/* Who uses which extended rule. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/unwind_table.h"

static size_t mark_used(const struct unwind_table *t, bool *used)
{
	size_t count = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		uint32_t rule = t->rows[i].rule;
		bool *mark =
			&used[UNWIND_RULE_INDEX(rule) % UNWIND_RULES_EXT_MAX];

		if (UNWIND_RULE_KIND(rule) != UNWIND_EXT || *mark)
			continue;
		*mark = true;
		count++;
	}
	return count;
}

int unwind_rules_hold(struct unwind_rule_pool *pool,
		      const struct unwind_table *t,
		      struct unwind_rules_held *held)
{
	bool used[UNWIND_RULES_EXT_MAX] = {false};
	size_t count = mark_used(t, used);

	*held = (struct unwind_rules_held){0};
	if (!count)
		return 0;
	held->numbers = calloc(count, sizeof(*held->numbers));
	if (!held->numbers)
		return -ENOMEM;
	for (uint16_t i = 0; i < UNWIND_RULES_EXT_MAX; i++) {
		if (!used[i])
			continue;
		held->numbers[held->count++] = i;
		pool->used += !pool->uses[i]++;
	}
	return 0;
}

void unwind_rules_release(struct unwind_rule_pool *pool,
			  struct unwind_rules_held *held)
{
	for (size_t i = 0; i < held->count; i++)
		pool->used -= !--pool->uses[held->numbers[i]];
	free(held->numbers);
	*held = (struct unwind_rules_held){0};
}
