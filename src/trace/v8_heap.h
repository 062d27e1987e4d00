/* SPDX-License-Identifier: GPL-2.0-only */
/* Following the objects on V8's heap. Included by tracer_internal.h. */
#ifndef TRACE_V8_HEAP_H
#define TRACE_V8_HEAP_H

#include "budget/rests.h"
#include "probe/link.h"
#include "trace/probe_sets.h"
#include "trace/v8_pauses.h"
#include "trace/v8_survivors.h"
#include "v8/heap_trend.h"

struct tracer;
struct tracee;

/*
 * A sample stands for some 128 to 256 KiB, so these are 270 MiB of live objects
 * before old ones are thinned: every pass costs its collection pause. A full
 * collection has two passes over them, which should stay below 2 ms
 * (tools/bench/node_pauses.py).
 */
#define V8_OLD_SAMPLES 2048

enum v8_heap_state {
	V8_HEAP_NONE, /* no V8, or not asked for */
	V8_HEAP_FOLLOWED,
	V8_HEAP_REFUSED, /* `reason` says why; the rest goes on */
};

struct v8_heap_tracking {
	enum v8_heap_state state;
	char reason[160];
	struct probe_links links;
	struct probe_sets areas; /* on allocations; they may rest */
	struct rests rests;
	uint32_t turn; /* since the last rest */
	struct v8_pauses pauses;
};

/* v8_heap.c: once V8 has been found (v8.h), sets the probes; what fails is said
 * in e->v8_heap. Cheap when there is nothing to do. */
void v8_heap_attach(struct tracer *t, struct tracee *e);
/* Gives up, and says why. */
void v8_heap_refuse(struct tracer *t, struct tracee *e, const char *reason);
/* Takes its probes out: they are gone when `links`, to which theirs are
 * appended, are closed. */
void v8_heap_take_probes(struct tracee *e, struct probe_links *links);
/* Gives up on the heap of a process that does not behave as expected. */
void v8_heap_follow(struct tracer *t, struct tracee *e);
/* The process has other memory now (exec). */
void v8_heap_forget(struct tracer *t, struct tracee *e);

/* v8_heap_maps.c: called before and after the BPF object is loaded. */
void v8_heap_size_maps(struct tracer *t);
int v8_heap_maps_init(struct tracer *t);
void v8_heap_maps_free(struct tracer *t);

/* What full collections have told of each heap. */
struct v8_trends {
	struct v8_trend {
		struct v8_key key;
		struct heap_trend trend;
		struct heap_trend external; /* memory outside of it */
	} * list;
	size_t count;
};

/* v8_heap_trends.c: a full collection of a heap has ended; it was torn down. */
void v8_heap_collected(struct tracer *t, pid_t pid, uint64_t heap);
void v8_heap_gone(struct tracer *t, pid_t pid, uint64_t heap);

/* v8_heap_read.c: takes a copy of what has survived. 0 or -ENOMEM. */
int v8_heap_read(struct tracer *t);

#endif
