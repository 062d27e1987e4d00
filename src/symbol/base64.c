/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/base64.h"

#include <stdint.h>

int base64_digit(char c)
{
	return c >= 'A' && c <= 'Z'   ? c - 'A'
	       : c >= 'a' && c <= 'z' ? c - 'a' + 26
	       : c >= '0' && c <= '9' ? c - '0' + 52
	       : c == '+'	      ? 62
	       : c == '/'	      ? 63
				      : -1;
}

long base64_decode(const char *from, size_t size, char *to)
{
	uint32_t bits = 0;
	unsigned waiting = 0;
	long written = 0;

	while (size && from[size - 1] == '=')
		size--;
	for (size_t i = 0; i < size; i++) {
		int digit = base64_digit(from[i]);

		if (digit < 0)
			return -1;
		bits = bits << 6 | (uint32_t)digit;
		waiting += 6;
		if (waiting < 8)
			continue;
		waiting -= 8;
		to[written++] = (char)(bits >> waiting);
	}
	return written;
}
