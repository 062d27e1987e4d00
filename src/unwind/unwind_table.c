// SPDX-License-Identifier: GPL-2.0-only
/*
 * Building a table: FDEs are executed in the order of the section, their rows
 * collected function by function, the functions sorted, and the rows written
 * out with gaps, duplicates and overlaps resolved (rows.c adds the marks).
 */
#include "unwind/unwind_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unwind/cfi.h"
#include "unwind/rows.h"
#include "unwind/rule.h"

/* Rows of one FDE among all collected ones. */
struct function {
	uint32_t start, end; /* relative to text_base */
	uint32_t first_row, row_count;
	uint32_t priority; /* .eh_frame 0 before .debug_frame 1 */
};

struct builder {
	uint64_t text_base, text_end;
	size_t row_limit;
	struct rule_packer packer;
	struct row_list rows; /* unsorted */
	struct function *functions;
	size_t function_count, function_room;
	uint32_t priority;
	bool is_signal_frame; /* of the FDE being executed */
	struct unwind_table *stats;
};

/* Some of what is collected is a duplicate, or merged later. */
static size_t collected_max(const struct builder *b)
{
	return b->row_limit < SIZE_MAX / 2 ? 2 * b->row_limit : SIZE_MAX;
}

static int collect_row(uint64_t address, const struct cfi_state *state,
		       void *context)
{
	struct builder *b = context;
	struct function *f = &b->functions[b->function_count - 1];
	uint32_t rule = rule_pack(&b->packer, state, b->is_signal_frame);

	if (rule == UNWIND_BAD)
		b->stats->unsupported_rows++;
	else if (UNWIND_RULE_KIND(rule) == UNWIND_EXT)
		b->stats->ext_rows++;
	if (f->row_count && b->rows.list[b->rows.count - 1].rule == rule)
		return 0;
	f->row_count++;
	return row_list_add(&b->rows, (uint32_t)(address - b->text_base), rule,
			    collected_max(b));
}

static struct function *add_function(struct builder *b)
{
	if (b->function_count == b->function_room) {
		size_t room = b->function_room ? b->function_room * 2 : 256;
		struct function *grown =
			realloc(b->functions, room * sizeof(*grown));

		if (!grown)
			return NULL;
		b->functions = grown;
		b->function_room = room;
	}
	return &b->functions[b->function_count++];
}

static int collect_fde(const struct cfi_fde *fde, void *context)
{
	struct builder *b = context;
	struct function *f;
	int err;

	b->stats->fde_count++;
	/* FDEs of discarded sections, or made up ones, lie outside. */
	if (fde->start < b->text_base || fde->end > b->text_end)
		return 0;
	f = add_function(b);
	if (!f)
		return -ENOMEM;
	f->start = (uint32_t)(fde->start - b->text_base);
	f->end = (uint32_t)(fde->end - b->text_base);
	f->first_row = (uint32_t)b->rows.count;
	f->row_count = 0;
	f->priority = b->priority;
	b->is_signal_frame = fde->cie->is_signal_frame;
	err = cfi_execute(fde, collect_row, b);
	if (err != -EINVAL)
		return err;
	b->stats->bad_fdes++;
	b->rows.count = f->first_row;
	f->row_count = 1;
	return row_list_add(&b->rows, f->start, UNWIND_BAD, collected_max(b));
}

static int collect_section(struct builder *b, const struct cfi_section *s)
{
	size_t malformed;
	int err = cfi_each_fde(s, collect_fde, b, &malformed);

	b->stats->bad_fdes += malformed;
	b->priority++;
	return err;
}

static int compare_functions(const void *left, const void *right)
{
	const struct function *a = left, *b = right;

	if (a->start != b->start)
		return a->start < b->start ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return a->first_row < b->first_row ? -1 : a->first_row > b->first_row;
}

/* Appends one function's rows from `from` on; what an earlier function has
 * covered stays its own. */
static int write_function(const struct builder *b, const struct function *f,
			  uint32_t from, struct row_list *out)
{
	const struct unwind_row *rows = &b->rows.list[f->first_row];

	for (uint32_t i = 0; i < f->row_count; i++) {
		uint32_t next = i + 1 < f->row_count ? rows[i + 1].pc : f->end;
		uint32_t pc = rows[i].pc < from ? from : rows[i].pc;
		int err;

		if (next > f->end)
			next = f->end;
		if (next <= from || next <= pc)
			continue;
		err = row_list_append(out, pc, rows[i].rule, collected_max(b));
		if (err)
			return err;
	}
	return 0;
}

/* .debug_frame only fills what .eh_frame leaves: its functions end where the
 * next one of .eh_frame begins. (The linker leaves records of functions that it
 * removed, with made-up addresses.) */
static void yield_to_eh_frame(struct builder *b)
{
	uint32_t next_start = UINT32_MAX;

	for (size_t i = b->function_count; i-- > 0;) {
		struct function *f = &b->functions[i];

		if (f->priority == 0)
			next_start = f->start;
		else if (f->end > next_start)
			f->end = next_start;
	}
}

static int write_rows(struct builder *b, struct row_list *out)
{
	uint32_t covered = 0;
	int err = 0;

	if (b->function_count)
		qsort(b->functions, b->function_count, sizeof(*b->functions),
		      compare_functions);
	yield_to_eh_frame(b);
	for (size_t i = 0; i < b->function_count && !err; i++) {
		const struct function *f = &b->functions[i];

		if (f->end <= covered)
			continue;
		if (f->start > covered)
			err = row_list_append(out, covered, UNWIND_NONE,
					      collected_max(b));
		if (!err)
			err = write_function(b, f, covered, out);
		covered = f->end;
	}
	if (!err && b->function_count)
		err = row_list_append(out, covered, UNWIND_NONE,
				      collected_max(b));
	return err;
}

/* Sections to table; frees the builder's memory. */
static int finish(struct builder *b, int err, struct unwind_table *out)
{
	struct row_list rows = {0};

	out->roomless_rows = b->packer.roomless;
	if (!err)
		err = write_rows(b, &rows);
	free(b->rows.list);
	free(b->functions);
	if (err) {
		free(rows.list);
		return err;
	}
	out->rows = rows.list;
	out->row_count = rows.count;
	return 0;
}

/* The last step of both ways to build; returns what memory is not needed. */
static int compact(struct unwind_table *t, size_t row_limit)
{
	struct unwind_row *shrunk;

	rows_drop_padding(t);
	if (t->row_count > row_limit)
		return -E2BIG;
	if (!t->row_count)
		return 0;
	shrunk = realloc(t->rows, t->row_count * sizeof(*shrunk));
	if (shrunk)
		t->rows = shrunk;
	return 0;
}

int unwind_table_build_section(const uint8_t *data, size_t size,
			       uint64_t address, bool is_eh_frame,
			       uint64_t text_base, uint64_t text_end,
			       struct unwind_rule_pool *pool, size_t row_limit,
			       struct unwind_table *out)
{
	struct cfi_section s = {data, size, address, is_eh_frame};
	struct builder b = {.text_base = text_base,
			    .text_end = text_end,
			    .row_limit = row_limit,
			    .stats = out};
	int err;

	memset(out, 0, sizeof(*out));
	rule_packer_init(&b.packer, pool);
	err = finish(&b, collect_section(&b, &s), out);
	if (!err)
		err = compact(out, row_limit);
	if (err)
		unwind_table_free(out);
	return err;
}

static int collect_named(struct builder *b, const struct object *o,
			 const char *name, bool is_eh_frame)
{
	struct cfi_section s = {.is_eh_frame = is_eh_frame};
	uint8_t *data = NULL;
	int err = object_section(o, name, &data, &s.size, &s.address);

	if (err == -ENOMEM)
		return err;
	if (err) {
		/* Unreadable: what the other section has is still good. */
		b->stats->bad_fdes += err != -ENOENT;
		return 0;
	}
	s.data = data;
	err = collect_section(b, &s);
	free(data);
	return err;
}

int unwind_table_build(const struct object *o, struct unwind_rule_pool *pool,
		       const struct unwind_mark *marks, size_t mark_count,
		       size_t row_limit, struct unwind_table *out)
{
	struct builder b = {.text_base = o->text_base,
			    .text_end = o->text_end,
			    .row_limit = row_limit,
			    .stats = out};
	int err;

	memset(out, 0, sizeof(*out));
	rule_packer_init(&b.packer, pool);
	err = collect_named(&b, o, ".eh_frame", true);
	if (!err)
		err = collect_named(&b, o, ".debug_frame", false);
	err = finish(&b, err, out);
	if (!err)
		err = rows_add_signal_stubs(out, o, collected_max(&b));
	if (!err)
		err = compact(out, row_limit);
	if (!err)
		err = rows_add_marks(out, o->text_base, o->text_end, marks,
				     mark_count, row_limit);
	if (err)
		unwind_table_free(out);
	return err;
}

uint32_t unwind_table_find(const struct unwind_table *t, uint64_t text_base,
			   uint64_t address)
{
	size_t low = 0, high = t->row_count;
	uint32_t rule = UNWIND_NONE;

	if (address < text_base || address - text_base > UINT32_MAX)
		return UNWIND_NONE;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (t->rows[middle].pc <= address - text_base) {
			rule = t->rows[middle].rule;
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return rule;
}

void unwind_table_free(struct unwind_table *t)
{
	free(t->rows);
	t->rows = NULL;
	t->row_count = 0;
}
