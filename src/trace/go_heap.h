/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Go programs: riding the heap sampler of their runtime. Included by
 * tracer_internal.h.
 */
#ifndef TRACE_GO_HEAP_H
#define TRACE_GO_HEAP_H

#include <stdbool.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/go_runtime.h"
#include "trace/go_collections.h"

struct tracer;
struct tracee;
struct event;

struct go_tracking {
	const struct object *object; /* NULL: no Go program, or refused */
	uint64_t rate_address;	     /* run-time; 0: not known */
	struct go_collections collections;
};

/* Whether the tracee is a Go program, and thus no other probes may be set. */
bool go_heap_present(const struct tracee *e);
/* Sets the probes unless that was done. 0, -ENOTSUP (reported: it cannot be
 * followed), or -errno. */
int go_heap_attach(struct tracer *t, struct tracee *e);
/* A collection has begun or ended. */
void go_heap_event(struct tracer *t, const struct event *e);
/* Counts as live only what collections have shown to be: rewrites the totals
 * of a stack of the Go heap. */
void go_heap_settle(struct tracer *t, struct stack_stats *stats);

#endif
