// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int row_list_add(struct row_list *l, uint32_t pc, uint32_t rule, size_t limit)
{
	if (l->count >= limit)
		return -E2BIG;
	if (l->count == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		struct unwind_row *grown =
			realloc(l->list, room * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		l->list = grown;
		l->room = room;
	}
	l->list[l->count++] = (struct unwind_row){pc, rule};
	return 0;
}

int row_list_append(struct row_list *l, uint32_t pc, uint32_t rule,
		    size_t limit)
{
	if (l->count && l->list[l->count - 1].pc == pc)
		l->count--;
	if (l->count && l->list[l->count - 1].rule == rule)
		return 0;
	return row_list_add(l, pc, rule, limit);
}

/* ---- Overlays ---------------------------------------------------------------
 */

static int compare_overlays(const void *left, const void *right)
{
	const struct row_overlay *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static uint32_t overlaid(uint32_t rule, const struct row_overlay *o)
{
	if (o->rule && UNWIND_RULE_KIND(rule) == UNWIND_NONE)
		rule = o->rule;
	return rule | o->flags;
}

static int merge_overlays(struct unwind_table *t, const struct row_overlay *o,
			  size_t count, size_t limit)
{
	struct row_list out = {0};
	size_t row = 0, next = 0;
	uint32_t rule = UNWIND_NONE, at = 0;
	bool inside = false;
	int err = 0;

	while (!err && (row < t->row_count || next < count)) {
		uint32_t edge = next >= count ? UINT32_MAX
				: inside      ? o[next].end
					      : o[next].start;
		bool is_row = row < t->row_count && t->rows[row].pc <= edge;

		at = is_row ? t->rows[row].pc : edge;
		if (is_row)
			rule = t->rows[row++].rule;
		if (at == edge && next < count) {
			if (inside)
				next++;
			inside = !inside;
			/* The next range may begin where this one ends. */
			if (!inside && next < count && o[next].start == at)
				inside = true;
		}
		err = row_list_append(&out, at,
				      inside && next < count
					      ? overlaid(rule, &o[next])
					      : rule,
				      limit);
	}
	if (err) {
		free(out.list);
		return err;
	}
	free(t->rows);
	t->rows = out.list;
	t->row_count = out.count;
	return 0;
}

/* Sorts, and cuts off what overlaps the range before. */
static size_t make_disjoint(struct row_overlay *o, size_t count)
{
	size_t kept = 0;

	qsort(o, count, sizeof(*o), compare_overlays);
	for (size_t i = 0; i < count; i++) {
		struct row_overlay x = o[i];

		if (kept && x.start < o[kept - 1].end)
			x.start = o[kept - 1].end;
		if (x.start < x.end)
			o[kept++] = x;
	}
	return kept;
}

int rows_overlay(struct unwind_table *t, struct row_overlay *o, size_t count,
		 size_t limit)
{
	count = make_disjoint(o, count);
	return count ? merge_overlays(t, o, count, limit) : 0;
}

int rows_add_marks(struct unwind_table *t, uint64_t text_base,
		   uint64_t text_end, const struct unwind_mark *marks,
		   size_t mark_count, size_t limit)
{
	struct row_overlay *o;
	size_t count = 0;
	int err;

	if (!mark_count)
		return 0;
	o = calloc(mark_count, sizeof(*o));
	if (!o)
		return -ENOMEM;
	for (size_t i = 0; i < mark_count; i++) {
		uint64_t start = marks[i].start, end = marks[i].end;

		if (start < text_base)
			start = text_base;
		if (end > text_end)
			end = text_end;
		if (start >= end)
			continue;
		o[count].start = (uint32_t)(start - text_base);
		o[count].end = (uint32_t)(end - text_base);
		if (marks[i].root)
			o[count++].rule = UNWIND_ROOT;
		else
			o[count++].flags = UNWIND_ALLOCATOR;
	}
	err = rows_overlay(t, o, count, limit);
	free(o);
	return err;
}

/* ---- Padding ----------------------------------------------------------------
 */

/* Functions are aligned to 16 bytes: what lies between them and is shorter is
 * padding, which never runs. */
#define PADDING_BYTES_MAX 15

void rows_drop_padding(struct unwind_table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->row_count; i++) {
		struct unwind_row row = t->rows[i];
		bool is_padding =
			row.rule == UNWIND_NONE && kept &&
			i + 1 < t->row_count &&
			t->rows[i + 1].pc - row.pc <= PADDING_BYTES_MAX;

		if (!is_padding &&
		    (!kept || t->rows[kept - 1].rule != row.rule))
			t->rows[kept++] = row;
	}
	t->row_count = kept;
}
