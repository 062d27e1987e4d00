/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Samplers that tell of themselves by USDT probes: OpenTelemetry's provider
 * otel_memory (alloc, free). Included by tracer_internal.h.
 */
#ifndef TRACE_USDT_H
#define TRACE_USDT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/link.h"

struct tracer;
struct tracee;

struct usdt_probe {
	uint64_t address;   /* link-time */
	uint64_t semaphore; /* link-time; 0: none */
	uint32_t kind;	    /* USDT_ALLOC, USDT_FREE */
	struct usdt_spec spec;
};

/* Of one object. */
struct usdt_probes {
	struct usdt_probe *list;
	size_t count;
	bool usable; /* both allocations and frees are told of */
};

/* Looks for them. 0, -ENOMEM, or what reading gave. */
int usdt_find(const struct object *o, struct usdt_probes *out);

/* Whether one of the objects of a tracee has such a sampler: then the probes of
 * allocators are left out, or blocks would count twice. */
bool usdt_present(struct tracer *t, const struct tracee *e);
/* A place for one of them, as site_place. */
int usdt_place(struct tracer *t, struct tracee *e, const struct object *o,
	       const struct usdt_probe *p, struct probe_point *out);

#endif
