/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/refusals.h"

#include <errno.h>
#include <stdlib.h>

/* By the low bits of the pid: who shares a place with another is just tried
 * more often. */
#define REFUSALS_MAX 4096

/* Between tries, where it is worth trying: 1, 4, 16 ... seconds. */
#define TRY_AGAIN_NS  1000000000ULL
#define TRY_AGAIN_MAX 5

struct refusal {
	pid_t pid;
	unsigned tries;
	uint64_t start_ticks;
	uint64_t again_ns; /* CLOCK_MONOTONIC */
};

static struct refusal *at(const struct refusals *r, pid_t pid)
{
	return &r->list[(unsigned)pid & (REFUSALS_MAX - 1)];
}

static bool is(const struct refusal *e, pid_t pid, uint64_t start_ticks)
{
	return e->pid == pid && e->start_ticks == start_ticks;
}

bool refusals_hold(const struct refusals *r, pid_t pid, uint64_t start_ticks,
		   uint64_t now_ns)
{
	return r->list && is(at(r, pid), pid, start_ticks) &&
	       now_ns < at(r, pid)->again_ns;
}

void refusals_add(struct refusals *r, pid_t pid, uint64_t start_ticks,
		  enum not_traced why, uint64_t now_ns)
{
	struct refusal *e;

	if (!r->list)
		r->list = calloc(REFUSALS_MAX, sizeof(*r->list));
	if (!r->list)
		return;
	e = at(r, pid);
	if (!is(e, pid, start_ticks)) {
		*e = (struct refusal){.pid = pid, .start_ticks = start_ticks};
		r->total[why]++;
	}
	if ((why == NOT_TRACED_NO_ALLOCATOR || why == NOT_TRACED_NO_ROOM) &&
	    e->tries < TRY_AGAIN_MAX)
		e->again_ns = now_ns + (TRY_AGAIN_NS << 2 * e->tries++);
	else
		e->again_ns = UINT64_MAX;
}

void refusals_forget(struct refusals *r, pid_t pid)
{
	if (r->list && at(r, pid)->pid == pid)
		*at(r, pid) = (struct refusal){0};
}

void refusals_free(struct refusals *r)
{
	free(r->list);
	r->list = NULL;
}

enum not_traced not_traced_of(int err)
{
	switch (-err) {
	case ENOENT:
		return NOT_TRACED_NO_ALLOCATOR;
	case ENOTSUP:
		return NOT_TRACED_REFUSED;
	case EPERM:
	case EACCES:
		return NOT_TRACED_DENIED;
	case ENOMEM:
	case EMFILE:
	case ENOSPC:
	case E2BIG:
		return NOT_TRACED_NO_ROOM;
	default:
		return NOT_TRACED_FAILED;
	}
}
