/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the lines of a source start, by ECMAScript's line terminators: LF, CR,
 * CR LF, U+2028 and U+2029. */
#ifndef V8_LINE_STARTS_H
#define V8_LINE_STARTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line_starts {
	uint32_t *starts; /* ascending; the first line's, 0, is not in it */
	size_t count, capacity;
	size_t max;	/* lines; beyond: -E2BIG */
	uint32_t units; /* of source seen so far */
	bool after_cr;
};

/* The next units of the source; 0, -ENOMEM or -E2BIG. The context is the
 * struct: fits v8_string_each. */
int line_starts_add(void *line_starts, const uint16_t *units, size_t count);
/* Both from 0. Returns the length of the line. */
uint32_t line_starts_find(const struct line_starts *l, uint32_t offset,
			  uint32_t *line, uint32_t *column);
void line_starts_free(struct line_starts *l);

#endif
