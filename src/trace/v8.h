/* SPDX-License-Identifier: GPL-2.0-only */
/* What the tracer knows of V8 in a tracee. Included by tracer_internal.h. */
#ifndef TRACE_V8_H
#define TRACE_V8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "v8/js_frame.h"
#include "v8/layout.h"
#include "v8/memory.h"

struct tracer;
struct tracee;

/* Engines by object: looking for one takes a pass over its symbols. */
struct v8_engines {
	struct v8_object {
		const struct object *object;
		struct v8_engine *engine; /* NULL: there is none */
	} * list;
	size_t count;
};

struct v8_tracee {
	const struct v8_engine *engine; /* NULL: no V8 found (yet) */
	const struct object *object;	/* that has it */
	uint64_t bias;			/* run-time minus link-time address */
	bool published;			/* its frames are recognised */
	struct v8_memory memory;
	struct js_scripts *scripts;
};

/* Finds the engine of a tracee, if there is one, and tells the BPF programs.
 * Cheap when nothing is new. */
void v8_find(struct tracer *t, struct tracee *e);
/* Its memory is gone (exec, exit). */
void v8_forget(struct tracer *t, struct tracee *e);
/* The object is about to go. */
void v8_engines_forget(struct v8_engines *engines, const struct object *o);
void v8_engines_free(struct v8_engines *engines);

#endif
