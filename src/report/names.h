/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names come from the target and go to a terminal or into a line format: what
 * is not plain text in them is escaped or replaced.
 */
#ifndef REPORT_NAMES_H
#define REPORT_NAMES_H

#include <stddef.h>

#include "base/text.h"

/*
 * For people: control characters (C0, DEL, C1), line separators, bidirectional
 * controls and bytes that are no UTF-8 as \xNN. Names longer than `columns` are
 * shortened in the middle; 0: never.
 */
void name_for_people(struct text *out, const char *name, size_t columns);

/* One frame of a folded line: `;` becomes `:`, what is escaped for people
 * becomes `?`; never shortened, never empty. */
void name_for_folded(struct text *out, const char *name);

#endif
