// SPDX-License-Identifier: GPL-2.0-only
#include "object/go_table.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "base/cursor.h"

/* src/internal/abi/symtab.go */
#define MAGIC_1_18 0xfffffff0u
#define MAGIC_1_20 0xfffffff1u

#define HEADER_BYTES 72
#define ENTRY_BYTES  8	   /* of the list of functions: two words of 32 bits */
#define STEPS_MAX    65536 /* changes of file or line in one function */
#define NO_FILE	     0xffffffffu
/* Of struct _func. */
#define RECORD_NAME  4
#define RECORD_FILES 20
#define RECORD_LINES 24
#define RECORD_UNIT  32

static bool word_at(const struct go_table *t, uint64_t offset, uint32_t *out)
{
	struct cursor c;

	if (offset > t->size)
		return false;
	c = cursor_make(t->data + offset, t->size - offset);
	*out = cursor_u32(&c);
	return !c.failed;
}

/* A text of the table, or NULL. */
static const char *text_at(const struct go_table *t, uint64_t base,
			   uint32_t offset)
{
	uint64_t at = base + offset;
	size_t room;

	if (at < base || at >= t->size)
		return NULL;
	room = t->size - at;
	if (room > GO_TABLE_TEXT_MAX)
		room = GO_TABLE_TEXT_MAX;
	return memchr(t->data + at, 0, room) ? (const char *)t->data + at
					     : NULL;
}

int go_table_open(struct go_table *t, const void *data, size_t size)
{
	struct cursor c = cursor_make(data, size);
	uint32_t magic = cursor_u32(&c);
	uint32_t shape = cursor_u32(&c); /* 0, 0, quantum, pointer size */
	uint64_t count = cursor_u64(&c);

	*t = (struct go_table){.data = data, .size = size};
	cursor_skip(&c, 8); /* number of files */
	t->text_start = cursor_u64(&c);
	t->names = cursor_u64(&c);
	t->units = cursor_u64(&c);
	t->files = cursor_u64(&c);
	t->values = cursor_u64(&c);
	t->functions = cursor_u64(&c);
	if (c.failed || (magic != MAGIC_1_18 && magic != MAGIC_1_20) ||
	    shape != 0x08010000)
		return -EINVAL;
	if (t->names > size || t->units > size || t->files > size ||
	    t->values > size || t->functions < HEADER_BYTES ||
	    t->functions > size)
		return -EINVAL;
	/* The list ends with the address behind the last function. */
	if (count >= (size - t->functions) / ENTRY_BYTES ||
	    count > UINT32_MAX - 1)
		return -EINVAL;
	t->count = (uint32_t)count;
	return 0;
}

bool go_table_text_start(const void *rela, size_t size, uint64_t place,
			 uint64_t *start)
{
	struct cursor c = cursor_make(rela, size);

	while (cursor_left(&c) >= sizeof(Elf64_Rela)) {
		uint64_t offset = cursor_u64(&c), info = cursor_u64(&c);
		uint64_t addend = cursor_u64(&c);

		if (offset != place || ELF64_R_TYPE(info) != R_X86_64_RELATIVE)
			continue;
		*start = addend;
		return true;
	}
	return false;
}

/* Where function `index` starts, from the start of the text. */
static bool start_of(const struct go_table *t, uint32_t index, uint32_t *start)
{
	return word_at(t, t->functions + (uint64_t)index * ENTRY_BYTES, start);
}

bool go_table_function(const struct go_table *t, uint32_t index,
		       struct go_function *out)
{
	uint32_t start, end, record, name;

	if (index >= t->count || !start_of(t, index, &start) ||
	    !start_of(t, index + 1, &end) || end <= start ||
	    !word_at(t, t->functions + (uint64_t)index * ENTRY_BYTES + 4,
		     &record))
		return false;
	out->record = t->functions + record;
	if (!word_at(t, out->record + RECORD_NAME, &name))
		return false;
	out->name = text_at(t, t->names, name);
	out->address = t->text_start + start;
	out->end = t->text_start + end;
	return out->name && *out->name;
}

bool go_table_find(const struct go_table *t, uint64_t address,
		   struct go_function *out)
{
	uint64_t offset = address - t->text_start;
	uint32_t low = 0, high = t->count, start;

	if (address < t->text_start || offset > UINT32_MAX)
		return false;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (!start_of(t, middle, &start))
			return false;
		if (start <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low && go_table_function(t, low - 1, out) &&
	       address >= out->address && address < out->end;
}

/* ---- Positions ------------------------------------------------------------
 * A table of values is a list of differences: of the value (zigzag), of the
 * address. It starts with -1 at the function's entry and ends with a 0. */

static bool value_at(const struct go_table *t, uint32_t table, uint64_t offset,
		     int32_t *value)
{
	uint64_t at = t->values + table, pc = 0;
	struct cursor c;
	int64_t sum = -1;

	if (!table || at >= t->size)
		return false;
	c = cursor_make(t->data + at, t->size - at);
	for (int i = 0; i < STEPS_MAX; i++) {
		uint64_t zigzag = cursor_uleb(&c);
		uint64_t length = cursor_uleb(&c);

		if (c.failed || (!zigzag && i) || zigzag > UINT32_MAX ||
		    length > UINT32_MAX)
			return false;
		sum += (int64_t)(zigzag >> 1) ^ -(int64_t)(zigzag & 1);
		pc += length;
		if (sum > INT32_MAX || sum < INT32_MIN)
			return false;
		*value = (int32_t)sum;
		if (offset < pc)
			return true;
	}
	return false;
}

void go_table_position(const struct go_table *t, const struct go_function *f,
		       uint64_t address, const char **file, uint32_t *line)
{
	uint32_t files, lines, unit, name;
	int32_t number, value;

	*file = NULL;
	*line = 0;
	if (address < f->address || address >= f->end ||
	    !word_at(t, f->record + RECORD_FILES, &files) ||
	    !word_at(t, f->record + RECORD_LINES, &lines) ||
	    !word_at(t, f->record + RECORD_UNIT, &unit) ||
	    !value_at(t, files, address - f->address, &number) || number < 0 ||
	    !word_at(t, t->units + ((uint64_t)unit + (uint32_t)number) * 4,
		     &name) ||
	    name == NO_FILE)
		return;
	*file = text_at(t, t->files, name);
	if (*file && value_at(t, lines, address - f->address, &value) &&
	    value > 0)
		*line = (uint32_t)value;
}
