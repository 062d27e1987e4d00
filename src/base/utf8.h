/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* Length of the UTF-8 sequence at `s`, which NUL ends, and its code point; 0
 * when it is none (RFC 3629: overlong forms and surrogates are none either). */
size_t utf8_decode(const char *s, uint32_t *code);

#endif
