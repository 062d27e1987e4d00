/* SPDX-License-Identifier: GPL-2.0-only */
/* Go's heaps in the text report. */
#ifndef REPORT_TEXT_GO_H
#define REPORT_TEXT_GO_H

#include "base/text.h"
#include "report/report.h"

/* Lines of the header; nothing when no target is a Go program. */
void text_go_heaps(struct text *t, const struct report *r);

#endif
