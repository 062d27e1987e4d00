/* SPDX-License-Identifier: GPL-2.0-only */
#include "report/proto.h"

enum wire_type { WIRE_VARINT = 0, WIRE_LENGTH = 2 };

void proto_packed(struct text *list, uint64_t value)
{
	char bytes[10];
	size_t size = 0;

	do {
		bytes[size++] = (char)((value & 0x7f) | (value > 0x7f) << 7);
		value >>= 7;
	} while (value);
	text_append(list, bytes, size);
}

static void put_key(struct text *t, uint32_t field, enum wire_type type)
{
	proto_packed(t, (uint64_t)field << 3 | type);
}

static void put_bytes(struct text *t, uint32_t field, const void *data,
		      size_t size)
{
	put_key(t, field, WIRE_LENGTH);
	proto_packed(t, size);
	text_append(t, data, size);
}

void proto_number(struct text *t, uint32_t field, uint64_t value)
{
	if (!value)
		return;
	put_key(t, field, WIRE_VARINT);
	proto_packed(t, value);
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
