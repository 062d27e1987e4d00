/* SPDX-License-Identifier: GPL-2.0-only */
/* Base64 (RFC 4648, section 4). */
#ifndef SYMBOL_BASE64_H
#define SYMBOL_BASE64_H

#include <stddef.h>

/* 0 to 63; -1: not in the alphabet. */
int base64_digit(char c);

/* Decodes in place, which `to` may be; the size, or -1 for what is no base64.
 * Padding may be missing. */
long base64_decode(const char *from, size_t size, char *to);

#endif
