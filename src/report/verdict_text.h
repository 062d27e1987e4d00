/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts in words: the headline of a report, and one line per stack. */
#ifndef REPORT_VERDICT_TEXT_H
#define REPORT_VERDICT_TEXT_H

#include "base/text.h"
#include "report/report.h"

/*
 * One line without its end, for the diagnosis of the report:
 *
 *   LEAK  1.2 MiB/min (+-8 %), 97 % of RSS growth, in parse_header() at
 *   http.c:212; at this rate the 512 MiB limit is reached in 3 h 10 min
 *
 * The stacks that leak must have been resolved (report_resolve).
 */
void verdict_headline(struct text *t, const struct report *r);

/* "leak, 92 % sure: ..." The reasons in numbers, and for an unclear stack what
 * would settle it; no end of line. */
void verdict_reasons(struct text *t, const struct verdict *v);

/* "parse_header() at http.c:212": who is to blame for a stack. */
void verdict_place(struct text *t, const struct report *r,
		   const struct profile_stack *s);

#endif
