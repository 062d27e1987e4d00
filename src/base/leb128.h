/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing LEB128 integers (DWARF, protocol buffers); reading: cursor.h. */
#ifndef BASE_LEB128_H
#define BASE_LEB128_H

#include <stdint.h>

#include "base/text.h"

void leb128_put(struct text *t, uint64_t value);
void leb128_put_signed(struct text *t, int64_t value);

#endif
