/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/name.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Length of the well-formed UTF-8 sequence at `s` and its code point, 0 when
 * there is none (Unicode 15, table 3-7). */
static size_t decode(const unsigned char *s, size_t left, uint32_t *code)
{
	size_t size = s[0] < 0x80	      ? 1
		      : (s[0] & 0xe0) == 0xc0 ? 2
		      : (s[0] & 0xf0) == 0xe0 ? 3
		      : (s[0] & 0xf8) == 0xf0 ? 4
					      : 0;
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

	if (!size || size > left)
		return 0;
	uint32_t value = size == 1 ? s[0] : s[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		value = value << 6 | (s[i] & 0x3f);
	}
	if (value < least[size] || value > 0x10ffff ||
	    (value >= 0xd800 && value <= 0xdfff))
		return 0;
	*code = value;
	return size;
}

static bool harmless(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
		return false;
	/* Line and paragraph separators; bidirectional marks, embeddings,
	 * overrides and isolates. */
	return !(code == 0x200e || code == 0x200f || code == 0x061c ||
		 (code >= 0x2028 && code <= 0x202e) ||
		 (code >= 0x2066 && code <= 0x2069));
}

size_t symbol_clean_name(char *name, size_t size)
{
	size_t from = 0, to = 0;

	while (from < size) {
		uint32_t code = 0;
		size_t n = decode((unsigned char *)name + from, size - from,
				  &code);

		if (n && harmless(code)) {
			memmove(name + to, name + from, n);
			to += n;
		} else {
			name[to++] = '?';
		}
		from += n ? n : 1;
	}
	return to;
}
