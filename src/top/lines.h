/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of the live view as text. Names of the target are made fit for a
 * terminal; no line is longer than `columns`, as far as every character takes
 * one. */
#ifndef TOP_LINES_H
#define TOP_LINES_H

#include "top/view.h"

/* Lines above the list; the last of them heads its columns. */
#define TOP_HEADER_LINES 5

void top_line_header(struct text *out, const struct report *r,
		     const struct top_view *v, unsigned line, size_t columns);
void top_line_row(struct text *out, const struct report *r,
		  const struct top_view *v, const struct top_row *row,
		  size_t columns);
/* Whether the verdict on the stack is that it leaks. */
bool top_row_leaks(const struct report *r, const struct profile_stack *s);
/* The line at the bottom: keys, or the filter being typed. */
void top_line_footer(struct text *out, const struct top_view *v,
		     size_t columns);
/* Line `line` of the help, NULL behind the last. */
const char *top_line_help(unsigned line);

#endif
