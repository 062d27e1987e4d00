/* SPDX-License-Identifier: GPL-2.0-only */
/* CFI is the target's: any bytes must compile to a table that a binary search
 * can use, within the limits given. libFuzzer entry point. First byte: which
 * section it is (bit 0), and a mark of the row limit (bit 1). */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/unwind_table.h"

#define SECTION_ADDRESS 0x1000000
#define ROWS_MAX	100000
#define ROWS_FEW	16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rows(const struct unwind_table *t, size_t limit)
{
	if (t->row_count > limit)
		abort();
	for (size_t i = 0; i < t->row_count; i++) {
		const struct unwind_row *row = &t->rows[i];

		if (UNWIND_RULE_KIND(row->rule) > UNWIND_BAD ||
		    (UNWIND_RULE_KIND(row->rule) == UNWIND_EXT &&
		     UNWIND_RULE_INDEX(row->rule) >= UNWIND_RULES_EXT_MAX))
			abort();
		if (i && (row->pc <= row[-1].pc || row->rule == row[-1].rule))
			abort();
		if (unwind_table_find(t, 0, row->pc) != row->rule)
			abort();
	}
}

static void check_rules(const struct unwind_table *t,
			struct unwind_rule_pool *pool)
{
	struct unwind_rules_held held;

	if (unwind_rules_hold(pool, t, &held))
		return;
	if (pool->used != held.count || held.count > t->ext_rows)
		abort();
	unwind_rules_release(pool, &held);
	if (pool->used)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct unwind_rule_pool pool;
	struct unwind_table table;
	size_t limit;
	int err;

	if (!size)
		return 0;
	memset(&pool, 0, sizeof(pool));
	limit = data[0] & 2 ? ROWS_FEW : ROWS_MAX;
	err = unwind_table_build_section(data + 1, size - 1, SECTION_ADDRESS,
					 data[0] & 1, 0, UINT32_MAX, &pool,
					 limit, &table);
	if (err && ((err != -E2BIG && err != -ENOMEM) || table.rows))
		abort();
	if (!err) {
		check_rows(&table, limit);
		check_rules(&table, &pool);
	}
	unwind_table_free(&table);
	return 0;
}
