// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_BYTES (1u << 20)
#define STUB_BYTES_MAX 9
#define STUBS_MAX 8

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
	l->list[l->count++] = (struct unwind_row){ pc, rule };
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

/* ---- Overlays: ranges that change the rules of a table ---------------------- */

struct overlay {
	uint32_t start, end;
	uint32_t rule; /* replaces UNWIND_NONE; 0: leaves it */
	uint32_t flags; /* added to the rule */
};

static int compare_overlays(const void *left, const void *right)
{
	const struct overlay *a = left, *b = right;

	return a->start < b->start ? -1 : a->start > b->start;
}

static uint32_t overlaid(uint32_t rule, const struct overlay *o)
{
	if (o->rule && UNWIND_RULE_KIND(rule) == UNWIND_NONE)
		rule = o->rule;
	return rule | o->flags;
}

/* Merges a table with sorted, disjoint overlays. */
static int apply_overlays(struct unwind_table *t, const struct overlay *o,
			  size_t count, size_t limit)
{
	struct row_list out = { 0 };
	size_t row = 0, next = 0;
	uint32_t rule = UNWIND_NONE, at = 0;
	bool inside = false;
	int err = 0;

	while (!err && (row < t->row_count || next < count)) {
		uint32_t edge = next >= count ? UINT32_MAX :
				inside	      ? o[next].end :
						o[next].start;
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
		err = row_list_append(
			&out, at,
			inside && next < count ? overlaid(rule, &o[next]) :
						 rule,
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
static size_t make_disjoint(struct overlay *o, size_t count)
{
	size_t kept = 0;

	qsort(o, count, sizeof(*o), compare_overlays);
	for (size_t i = 0; i < count; i++) {
		struct overlay x = o[i];

		if (kept && x.start < o[kept - 1].end)
			x.start = o[kept - 1].end;
		if (x.start < x.end)
			o[kept++] = x;
	}
	return kept;
}

int rows_add_marks(struct unwind_table *t, uint64_t text_base,
		   uint64_t text_end, const struct unwind_mark *marks,
		   size_t mark_count, size_t limit)
{
	struct overlay *o;
	size_t count = 0;
	int err;

	if (!mark_count)
		return 0;
	o = calloc(mark_count, sizeof(*o));
	if (!o)
		return -ENOMEM;
	for (size_t i = 0; i < mark_count; i++) {
		if (marks[i].start < text_base || marks[i].end > text_end ||
		    marks[i].end <= marks[i].start)
			continue;
		o[count].start = (uint32_t)(marks[i].start - text_base);
		o[count].end = (uint32_t)(marks[i].end - text_base);
		o[count++].flags = UNWIND_ALLOCATOR;
	}
	count = make_disjoint(o, count);
	err = apply_overlays(t, o, count, limit);
	free(o);
	return err;
}

/* ---- Signal return stubs ----------------------------------------------------- */

struct stubs {
	struct overlay list[STUBS_MAX];
	size_t count;
};

static void find_stub(const uint8_t *code, size_t size, const void *stub,
		      size_t stub_size, uint32_t base, struct stubs *found)
{
	const uint8_t *at = code, *end = code + size;

	while (found->count < STUBS_MAX &&
	       (at = memmem(at, (size_t)(end - at), stub, stub_size))) {
		struct overlay *o = &found->list[found->count++];

		/* The address returned to is looked up as it is and as its
		 * predecessor: cover one byte before. */
		o->start = base + (uint32_t)(at - code) - (base + (at - code) > 0);
		o->end = base + (uint32_t)(at - code) + (uint32_t)stub_size;
		o->rule = UNWIND_SIGNAL;
		at += stub_size;
	}
}

/* mov $15, %rax (or %eax); syscall: rt_sigreturn */
static void scan_code(const uint8_t *code, size_t size, uint32_t base,
		      struct stubs *found)
{
	find_stub(code, size, "\x48\xc7\xc0\x0f\x00\x00\x00\x0f\x05", 9, base,
		  found);
	find_stub(code, size, "\xb8\x0f\x00\x00\x00\x0f\x05", 7, base, found);
}

static int scan_gap(const struct object *o, uint32_t start, uint32_t end,
		    uint8_t *buffer, struct stubs *found)
{
	while (start < end) {
		uint32_t size = end - start < CHUNK_BYTES ? end - start :
							    CHUNK_BYTES;
		uint64_t offset;

		if (!object_address_to_offset(o, o->text_base + start,
					      &offset) ||
		    object_read(o, offset, buffer, size))
			return 0; /* bss, or truncated: nothing to find */
		scan_code(buffer, size, start, found);
		if (size < CHUNK_BYTES)
			break;
		start += size - (STUB_BYTES_MAX - 1);
	}
	return 0;
}

int rows_add_signal_stubs(struct unwind_table *t, const struct object *o,
			  size_t limit)
{
	uint32_t text_size = (uint32_t)(o->text_end - o->text_base);
	struct stubs found = { .count = 0 };
	uint8_t *buffer = malloc(CHUNK_BYTES);
	uint32_t start = 0;
	bool gap = true;

	if (!buffer)
		return -ENOMEM;
	for (size_t i = 0; i <= t->row_count; i++) {
		uint32_t pc = i < t->row_count ? t->rows[i].pc : text_size;

		if (gap && pc > start && pc - start >= 7)
			scan_gap(o, start, pc, buffer, &found);
		start = pc;
		gap = i < t->row_count &&
		      UNWIND_RULE_KIND(t->rows[i].rule) == UNWIND_NONE;
	}
	free(buffer);
	if (!found.count)
		return 0;
	found.count = make_disjoint(found.list, found.count);
	return apply_overlays(t, found.list, found.count, limit);
}
