/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes that tracees share. With links of its own for each process, a hit goes
 * through the links of all: each further process costs it SITE_USER_NS, and
 * from the second on the kernel traps every return, too, as the session of
 * another process cannot decline it. One link for all that map the object costs
 * what a single process does, however many they are; but processes that are not
 * traced get the breakpoints, too, and pay a trap per call. So probes are
 * shared where
 *
 * - at least SHARING_LEAST tracees have them,
 * - of all that map the file no more than a SHARING_BYSTANDERS-th are
 *   not traced, which is looked after every now and then,
 * - links are sessions: the programs keep everybody else's returns unprobed.
 *
 * Functions that a C++ exception may leave are shared from the second tracee
 * on, or not probed in it at all: its exceptions would end in the return probes
 * that the first one's session puts there.
 *
 * Included by tracer_internal.h.
 */
#ifndef TRACE_SHARING_H
#define TRACE_SHARING_H

#include <stdbool.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/link.h"

struct tracer;
struct tracee;
struct probe_set;

/* Measured: docs/containers.md. */
#define SHARING_LEAST	   4
#define SHARING_BYSTANDERS 8

/* Probes on an object's functions that may throw, or on its others; its number
 * is their bit in struct target. */
struct shared_part {
	const struct object *object; /* NULL: free */
	bool throws;
	uint64_t over_ns; /* processes have their own again since; 0: in use */
};

struct sharing {
	struct shared_part parts[PROBES_SHARED_MAX];
	/* All that share, as one: its probes are the shared ones, its window is
	 * everybody's. */
	struct tracee *all;
	/* Of processes' own that are not needed any more. */
	struct probe_links leaving;
	uint64_t leaving_ns;
	uint64_t reviewed_ns, retried_ns;
	uint64_t count_ns; /* bystanders are not counted before that */
	/* At the last review. */
	uint64_t bystander_hits, member_hits;
	size_t members;
	/* Objects are not tried for each process that comes. */
	uint32_t tried[OBJECTS_MAX]; /* with so many */
};

/* 0 or -ENOMEM. */
int sharing_init(struct tracer *t);
void sharing_free(struct tracer *t);
/* Before `e` gets its sets of an object: makes probes shared if that is due. */
void sharing_prepare(struct tracer *t, struct tracee *e,
		     const struct object *o);
/* Whether functions that may throw may be probed in it. */
bool sharing_may_throw(struct tracer *t, const struct tracee *e,
		       const struct object *o);
/* Adds a set to `e`: with links of its own or shared. 0 or -errno. */
int sharing_add_set(struct tracer *t, struct tracee *e,
		    const struct probe_set *set);
/* Now and then: takes out what is not needed, looks whether sharing still
 * pays. */
void sharing_follow(struct tracer *t, uint64_t now_ns);
/* Who has the accounts and the window of `e`: itself, the process whose memory
 * it shares, or all that share probes. NULL: gone. */
struct tracee *sharing_account(struct tracer *t, struct tracee *e);

#endif
