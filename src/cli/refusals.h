/* SPDX-License-Identifier: GPL-2.0-only */
/* Processes that belong to the selection but cannot be traced: not tried again
 * and again. Known by pid and start, as pids are used again. */
#ifndef CLI_REFUSALS_H
#define CLI_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Texts for people and, as keys, for JSON. */
#define NOT_TRACED_REASONS(X)                                                  \
	X(NO_ALLOCATOR, "no_allocator", "without a known allocator")           \
	X(REFUSED, "refused", "Go programs or such as would be harmed")        \
	X(OTHER_ARCH, "foreign", "32-bit or foreign programs")                 \
	X(NO_ROOM, "no_room", "too many at once")                              \
	X(DENIED, "denied", "not permitted to")                                \
	X(FAILED, "failed", "failed to attach")

enum not_traced {
#define X(id, key, text) NOT_TRACED_##id,
	NOT_TRACED_REASONS(X)
#undef X
		NOT_TRACED_COUNT
};

/* Why an attempt to attach ended with -errno. */
enum not_traced not_traced_of(int err);

struct refusal;

struct refusals {
	struct refusal *list; /* a table of REFUSALS_MAX; NULL: none yet */
	uint64_t total[NOT_TRACED_COUNT]; /* processes so far */
};

/* Whether it has been refused and need not be tried again yet: one without an
 * allocator may still load one, and there may be room again. */
bool refusals_hold(const struct refusals *r, pid_t pid, uint64_t start_ticks,
		   uint64_t now_ns);
void refusals_add(struct refusals *r, pid_t pid, uint64_t start_ticks,
		  enum not_traced why, uint64_t now_ns);
/* It has become another program. */
void refusals_forget(struct refusals *r, pid_t pid);
void refusals_free(struct refusals *r);

#endif
