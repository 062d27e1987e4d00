/* SPDX-License-Identifier: GPL-2.0-only */
/* What the text report says about V8's heap. */
#ifndef REPORT_TEXT_V8_H
#define REPORT_TEXT_V8_H

#include "base/text.h"
#include "report/report.h"

/* Lines of the header, one or two for each isolate. */
void text_v8_heaps(struct text *t, const struct report *r);
/* Live bytes of all heaps of a process; 0: not known. */
double text_v8_live(const struct report *r, pid_t pid);
/* Bytes outside of these heaps that their objects hold; 0: not known. */
double text_v8_external(const struct report *r, pid_t pid);
/* Who made what a stack of V8's heap has allocated. False: not known. */
bool text_v8_place(struct text *t, const struct report *r, uint32_t stack);
/* Of a stack of V8's heap, what its objects are; of one that made large
 * Buffers, what may keep them. Nothing of others. */
void text_v8_stack(struct text *t, const struct report *r,
		   const struct profile_stack *s);

#endif
