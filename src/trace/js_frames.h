/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * JavaScript frames that the BPF programs met for the first time: resolved at
 * once, before what they point to moves, and handed on. Included by
 * tracer_internal.h.
 */
#ifndef TRACE_JS_FRAMES_H
#define TRACE_JS_FRAMES_H

#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "v8/js_frame.h"

struct tracer;

/* Events that came faster than they could be resolved. More come again. */
#define JS_QUEUE_MAX 4096

struct js_frames {
	struct js_frame *queue; /* a ring of JS_QUEUE_MAX */
	size_t first, count;
	size_t known;	  /* in map js_frames, about */
	uint64_t dropped; /* the queue was full */
	uint64_t shortfalls[JS_SHORTFALLS];
};

void js_frames_event(struct tracer *t, const struct js_frame *frame);
/* Resolves what waits, for a bounded time. */
void js_frames_resolve(struct tracer *t);
/* Makes room for new frames when there is little left. */
void js_frames_tidy(struct tracer *t);

#endif
