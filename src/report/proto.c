/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/proto.h"

#include "base/leb128.h"

enum wire_type { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

static void put_key(struct text *t, uint32_t field, enum wire_type type)
{
	leb128_put(t, (uint64_t)field << 3 | type);
}

static void put_bytes(struct text *t, uint32_t field, const void *data,
		      size_t size)
{
	put_key(t, field, WIRE_LENGTH);
	leb128_put(t, size);
	text_append(t, data, size);
}

void proto_number(struct text *t, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	put_key(t, field, WIRE_VARINT);
	leb128_put(t, value);
}

void proto_bytes(struct text *t, uint32_t field, const void *data, size_t size)
{
	if (size)
		put_bytes(t, field, data, size);
}

void proto_message(struct text *t, uint32_t field, struct text *message)
{
	put_bytes(t, field, message->data, message->size);
	t->failed = t->failed || message->failed;
	text_clear(message);
}
