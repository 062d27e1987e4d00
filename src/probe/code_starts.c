// SPDX-License-Identifier: GPL-2.0-only
/* Function starts: see code_starts.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/code_starts.h"

#define STARTS_MAX (1u << 20)

static int starts_append(struct code_starts *s, uint64_t address)
{
	if (s->count >= STARTS_MAX)
		return 0;
	if (!(s->count & (s->count - 1))) {
		size_t room = s->count ? s->count * 2 : 1;
		uint64_t *list = realloc(s->list, room * sizeof(*list));

		if (!list)
			return -ENOMEM;
		s->list = list;
	}
	s->list[s->count++] = address;
	return 0;
}

static int each_symbol(const struct object_symbol *symbol, void *context)
{
	return symbol->is_function ? starts_append(context, symbol->address)
				   : 0;
}

/* DW_EH_PE encodings of the usual header: pcrel sdata4 pointer, udata4 count,
 * datarel sdata4 table (LSB Core, 10.6.2). */
static bool is_usual_header(const uint8_t *data, size_t size)
{
	static const uint8_t usual[] = {1, 0x1b, 0x03, 0x3b};

	return size >= 12 && !memcmp(data, usual, sizeof(usual));
}

static int starts_from_header(const struct object *o, struct code_starts *s)
{
	uint64_t address;
	uint8_t *data;
	uint32_t count;
	size_t size;
	int err = object_section(o, ".eh_frame_hdr", &data, &size, &address);

	if (err)
		return err == -ENOMEM ? err : 0;
	if (is_usual_header(data, size)) {
		memcpy(&count, data + 8, sizeof(count));
		for (size_t i = 0; !err && i < count && i < (size - 12) / 8;
		     i++) {
			int32_t relative;

			memcpy(&relative, data + 12 + i * 8, sizeof(relative));
			err = starts_append(s, address + (int64_t)relative);
		}
	}
	free(data);
	return err;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int code_starts_read(const struct object *o, struct code_starts *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	err = object_each_symbol(o, each_symbol, out);
	if (err != -ENOMEM)
		err = starts_from_header(o, out);
	if (err)
		code_starts_free(out);
	else if (out->count)
		qsort(out->list, out->count, sizeof(*out->list), by_value);
	return err;
}

void code_starts_free(struct code_starts *s)
{
	free(s->list);
	memset(s, 0, sizeof(*s));
}

uint64_t code_starts_after(const struct code_starts *s, const struct object *o,
			   uint64_t address)
{
	size_t low = 0, high = s->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->list[middle] > address)
			high = middle;
		else
			low = middle + 1;
	}
	return low < s->count ? s->list[low] : o->text_end;
}
