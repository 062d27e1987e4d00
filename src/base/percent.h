/* SPDX-License-Identifier: GPL-2.0-only */
/* Percent-encoding of URLs (RFC 3986, 2.1). */
#ifndef BASE_PERCENT_H
#define BASE_PERCENT_H

#include "base/text.h"

/* Appends `size` bytes with every %XX as the byte that it stands for, except
 * NUL. What is no valid triplet stays as it is. */
void percent_decode(struct text *out, const char *bytes, size_t size);

#endif
