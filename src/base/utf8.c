/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/utf8.h"

size_t utf8_decode(const char *s, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *u = (const unsigned char *)s;
	size_t length = u[0] < 0x80		? 1
			: (u[0] & 0xe0) == 0xc0 ? 2
			: (u[0] & 0xf0) == 0xe0 ? 3
			: (u[0] & 0xf8) == 0xf0 ? 4
						: 0;

	*code = length > 1 ? u[0] & (0x7fu >> length) : u[0];
	for (size_t i = 1; i < length; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (u[i] & 0x3f);
	}
	if (length > 1 && (*code < least[length] || *code > 0x10ffff ||
			   (*code >= 0xd800 && *code <= 0xdfff)))
		return 0;
	return length;
}
