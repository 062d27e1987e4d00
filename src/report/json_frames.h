/* SPDX-License-Identifier: GPL-2.0-only */
/* What the JSON of reports and of comparisons have in common. */
#ifndef REPORT_JSON_FRAMES_H
#define REPORT_JSON_FRAMES_H

#include "report/document.h"
#include "report/json_writer.h"

/* The list "frames" of a document. */
void json_put_frames(struct json *j, const struct document *d);
/* "frames", by position in that list, and "blame" of a stack. */
void json_put_path(struct json *j, const struct document *d,
		   const struct document_stack *s);

#endif
