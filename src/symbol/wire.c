/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/wire.h"

#include <errno.h>
#include <string.h>

#include "base/cursor.h"

#define NAMED	1u
#define INLINED 1u

/* Fixed part of a symbol and of each of its levels. */
struct symbol_head {
	uint32_t type;
	uint32_t index;
	uint32_t flags;
	uint32_t level_count;
	uint64_t function_offset;
};

struct level_head {
	uint32_t line;
	uint32_t column;
	uint32_t flags;
	uint32_t function_size;
	uint32_t file_size;
};

static uint32_t at_most(uint32_t value, size_t limit)
{
	return value < limit ? value : (uint32_t)limit;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	if (size)
		memcpy(at, bytes, size);
	return at + size;
}

size_t wire_encode_symbol(uint8_t to[WIRE_MESSAGE_MAX],
			  const struct wire_symbol *s)
{
	uint8_t *at = to;
	const uint8_t *end = to + WIRE_MESSAGE_MAX;
	uint32_t count = at_most(s->level_count, WIRE_LEVELS_MAX);
	struct symbol_head head = {
		.type = WIRE_SYMBOL,
		.index = s->index,
		.flags = s->named ? NAMED : 0,
		.level_count = count,
		.function_offset = s->function_offset,
	};

	at = put(at, &head, sizeof(head));
	for (uint32_t i = 0; i < count; i++) {
		const struct wire_level *level = &s->levels[i];
		/* Each level may use its share of what is left: names are
		 * rarely long, so this cuts only in absurd cases. */
		size_t share = (size_t)(end - at) / (count - i);
		size_t text = share - sizeof(struct level_head);
		struct level_head h = {
			.line = level->line,
			.column = level->column,
			.flags = level->inlined ? INLINED : 0,
			.file_size = at_most(level->file_size, text / 2),
		};
		h.function_size =
			at_most(level->function_size, text - h.file_size);
		at = put(at, &h, sizeof(h));
		at = put(at, level->function, h.function_size);
		at = put(at, level->file, h.file_size);
	}
	return (size_t)(at - to);
}

static int decode_level(struct cursor *c, struct wire_level *level)
{
	struct level_head h;
	const uint8_t *bytes = cursor_bytes(c, sizeof(h));

	if (!bytes)
		return -EBADMSG;
	memcpy(&h, bytes, sizeof(h));
	*level = (struct wire_level){
		.line = h.line,
		.column = h.column,
		.inlined = h.flags & INLINED,
		.function_size = h.function_size,
		.file_size = h.file_size,
	};
	level->function = (const char *)cursor_bytes(c, h.function_size);
	level->file = (const char *)cursor_bytes(c, h.file_size);
	return c->failed ? -EBADMSG : 0;
}

int wire_decode_symbol(struct wire_symbol *s, const uint8_t *data, size_t size)
{
	struct cursor c = cursor_make(data, size);
	struct symbol_head head;
	const uint8_t *bytes = cursor_bytes(&c, sizeof(head));

	if (!bytes)
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.type != WIRE_SYMBOL || head.level_count > WIRE_LEVELS_MAX)
		return -EBADMSG;
	s->index = head.index;
	s->named = head.flags & NAMED;
	s->function_offset = head.function_offset;
	s->level_count = head.level_count;
	for (uint32_t i = 0; i < head.level_count; i++)
		if (decode_level(&c, &s->levels[i]))
			return -EBADMSG;
	return cursor_left(&c) ? -EBADMSG : 0;
}
