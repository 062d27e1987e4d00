/* SPDX-License-Identifier: GPL-2.0-only */
/* The symbolizer's end of the connection to its worker: starts one when there
 * is none, bounds every wait, and replaces one that died. */
#ifndef SYMBOL_WORKER_LINK_H
#define SYMBOL_WORKER_LINK_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/clock.h"
#include "base/zygote.h"
#include "symbol/wire.h"
#include "symbol/worker.h"

struct worker_link {
	struct zygote zygote;
	struct worker_options options;
	int socket; /* -1: no worker runs */
	pid_t worker;
	uint32_t deaths; /* crashes, time-outs, nonsense, failed starts */
};

/* How a request ended. After anything but LINK_DONE the worker is gone. */
enum link_end {
	LINK_DONE,
	LINK_DIED,	  /* crashed, was killed, or sent nonsense */
	LINK_STUCK,	  /* no answer within request_ms */
	LINK_OUT_OF_TIME, /* the caller's deadline passed */
	LINK_UNAVAILABLE, /* no worker can be started */
};

struct link_request {
	uint32_t object;
	uint32_t flags;
	uint32_t units; /* struct wire_resolve */
	int fd;
	const uint64_t *addresses;
	uint32_t count;	      /* at most WIRE_ADDRESSES_MAX */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC; open_file's time is added */
	/* The worker asks for a file: a descriptor (closed after use) or
	 * -errno. */
	int (*open_file)(void *context, const struct wire_want *want);
	/* Called in order, with indices answered..count-1. */
	void (*answer)(void *context, const struct wire_symbol *s);
	void *context;
	uint32_t answered; /* out: how many */
};

/* Call early: forks. 0 or -errno. */
int worker_link_start(struct worker_link *l, const struct worker_options *o);
void worker_link_stop(struct worker_link *l);

/* Asks for addresses[answered..count). */
enum link_end worker_link_ask(struct worker_link *l, struct link_request *r);

#endif
