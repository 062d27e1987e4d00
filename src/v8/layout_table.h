/* SPDX-License-Identifier: GPL-2.0-only */
/* Private to src/v8: the versions of V8 that we know. */
#ifndef V8_LAYOUT_TABLE_H
#define V8_LAYOUT_TABLE_H

#include "v8/layout.h"

struct v8_row {
	uint32_t major, minor;
	const char *node; /* that ships it */
	struct v8_layout layout;
	uint32_t isolate_group_dispatch_table; /* 0: has none */
};

extern const struct v8_row v8_rows[];
extern const size_t v8_row_count;

#endif
