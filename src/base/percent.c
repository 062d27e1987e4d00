/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/percent.h"

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

void percent_decode(struct text *out, const char *bytes, size_t size)
{
	size_t plain = 0;

	for (size_t i = 0; i + 2 < size; i++) {
		int high = hex(bytes[i + 1]), low = hex(bytes[i + 2]);
		char c;

		if (bytes[i] != '%' || high < 0 || low < 0 || !(high | low))
			continue;
		c = (char)(high << 4 | low);
		text_append(out, bytes + plain, i - plain);
		text_append(out, &c, 1);
		i += 2;
		plain = i + 1;
	}
	text_append(out, bytes + plain, size - plain);
}
