/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sites: probes as they were planned, by their number in the cookie. A function
 * of an object has one site, whichever processes it is probed in: a thousand of
 * them share those of one libc. Sites that no process uses any more keep their
 * hits, and their places until those run out or their object goes.
 */
#ifndef TRACE_SITES_H
#define TRACE_SITES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/catalogue.h"
#include "probe/link.h"
#include "probe/site.h"

struct tracer;
struct tracee;

/* Each hit goes through the links of all processes that have their own on a
 * function: with a hundred of them it costs ten times as much as alone, and
 * closing their links takes seconds. Shared ones have no such limit
 * (sharing.h). */
#define SITE_USERS_MAX 128
#define SITE_USER_NS   70 /* per hit and other process, measured on 6.18 */

struct site {
	uint32_t users;		     /* tracees it is probed in */
	pid_t pid;		     /* the first of them */
	const struct object *object; /* NULL: free */
	const char *allocator;
	char function[64];
	uint64_t address; /* link-time address of the function */
	uint32_t kind;
	struct probe_site plan;
	bool return_probe;
	bool shared; /* one link for all (sharing.h) */
};

/* What the programs have counted at sites that gave up their places. */
struct past_hits {
	uint64_t allocations, frees;
	uint64_t emulated, stepped; /* all, by the cost of the probe */
};

struct sites {
	struct site *list;
	size_t count;
	size_t free; /* of these */
	struct past_hits past;
};

/* Which sites a tracee uses. */
struct site_uses {
	uint16_t *list;
	size_t count;
};

/* Plans the site of a probe, or finds it, and notes that `e` uses it. 0,
 * -ENOEXEC when there is no place for it, -ENOSPC or -ENOMEM. `returns`: it is
 * also probed at its return. */
int site_place(struct tracer *t, struct tracee *e, const struct object *o,
	       const struct alloc_function *f, const char *allocator,
	       bool returns, struct probe_point *out);
/* The same for a site that needs no planning (`plan` NULL: it does). */
int site_place_planned(struct tracer *t, struct tracee *e,
		       const struct object *o, const struct alloc_function *f,
		       const char *allocator, bool returns,
		       const struct probe_site *plan, struct probe_point *out);
/* It uses none of its sites any more; or those in `o`. */
void sites_release(struct tracer *t, struct tracee *e);
void sites_release_object(struct tracer *t, struct tracee *e,
			  const struct object *o);
/* The object, which no tracee uses, is about to go. */
void sites_forget_object(struct tracer *t, const struct object *o);
/* Of which sort its hits are, for the counters. */
static inline bool site_kind_frees(uint32_t kind)
{
	return kind == FREE_POINTER || kind == GO_FREE || kind == USDT_FREE;
}

static inline bool site_kind_allocates(uint32_t kind)
{
	return kind < FREE_POINTER || kind == GO_MALLOC || kind == USDT_ALLOC;
}

/* What a hit there costs beyond one of a single process, ns. */
static inline uint64_t site_others_ns(const struct site *s)
{
	return s->shared || s->users < 2 ? 0 : (s->users - 1) * SITE_USER_NS;
}

/* Hits so far. */
uint64_t site_hits(const struct tracer *t, size_t index);

#endif
