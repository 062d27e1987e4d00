/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the text report above the stacks: who, how much, at what cost,
 * and what the figures leave out. */
#ifndef REPORT_TEXT_HEADER_H
#define REPORT_TEXT_HEADER_H

#include "base/text.h"
#include "report/report.h"

void text_header(struct text *t, const struct report *r);

#endif
