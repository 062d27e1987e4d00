/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/leb128.h"

#include <stdbool.h>
#include <stddef.h>

void leb128_put(struct text *t, uint64_t value)
{
	char bytes[10];
	size_t size = 0;

	do {
		bytes[size++] = (char)((value & 0x7f) | (value > 0x7f) << 7);
		value >>= 7;
	} while (value);
	text_append(t, bytes, size);
}

void leb128_put_signed(struct text *t, int64_t value)
{
	char bytes[10];
	size_t size = 0;
	bool more;

	do {
		uint8_t byte = value & 0x7f;

		value >>= 7;
		more = !((value == 0 && !(byte & 0x40)) ||
			 (value == -1 && (byte & 0x40)));
		bytes[size++] = (char)(byte | more << 7);
	} while (more);
	text_append(t, bytes, size);
}
