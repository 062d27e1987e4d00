/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the text report above the stacks: who, how much, at what cost,
 * and what the figures leave out. */
#ifndef REPORT_TEXT_HEADER_H
#define REPORT_TEXT_HEADER_H

#include "base/text.h"
#include "report/report.h"

void text_header(struct text *t, const struct report *r);

/* What stands between is shown so on a terminal: SGR parameters, "1" is bold.
 * Nothing where colours are not wanted. */
void text_style(struct text *t, const struct report *r, const char *sgr);
void text_style_end(struct text *t, const struct report *r);

#endif
