/* SPDX-License-Identifier: GPL-2.0-only */
/* The lines of the text report's header that say who was watched. */
#ifndef REPORT_TEXT_TARGETS_H
#define REPORT_TEXT_TARGETS_H

#include "base/text.h"
#include "report/report.h"

/* A line of the header; its label is left out after the first of a group. */
void text_begin_line(struct text *t, const char *label);

/* " in container shop of pod shop-7d9"; nothing when it is in none. */
void text_container(struct text *t, const struct container *c);

void text_title(struct text *t, const struct report *r);
/* Commands and memory. */
void text_targets(struct text *t, const struct report *r);
/* The selection, if processes come and go. */
void text_following(struct text *t, const struct report *r);

#endif
