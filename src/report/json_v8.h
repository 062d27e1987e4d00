/* SPDX-License-Identifier: GPL-2.0-only */
/* What JSON reports say about V8's heap. */
#ifndef REPORT_JSON_V8_H
#define REPORT_JSON_V8_H

#include "report/json_writer.h"
#include "report/report.h"

/* Member "v8", when a target runs it. */
void json_put_v8(struct json *j, const struct report *r);
/* Member "types" of a stack of V8's heap; nothing of others. */
void json_put_types(struct json *j, const struct report *r,
		    const struct profile_stack *s);

#endif
