/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/run_loop.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/forgetting.h"
#include "cli/signals.h"

/* A signal that arrives just before waiting begins is seen this much later. */
#define POLL_MS_MAX 200

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t end_ns(const struct reporting *r)
{
	uint64_t duration_ms = r->options->duration_ms;

	return duration_ms ? r->attached_ns + duration_ms * 1000000
			   : UINT64_MAX;
}

static bool is_over(const struct run_loop *l, uint64_t now_ns)
{
	const struct reporting *r = l->reporting;

	return signals_stop_requested() || now_ns >= end_ns(r) ||
	       (!l->outlives_targets && !r->following &&
		!tracer_alive(r->tracer));
}

/* When something is due. */
static uint64_t deadline_ns(const struct run_loop *l)
{
	uint64_t deadline = end_ns(l->reporting);

	if (l->paused)
		return deadline;
	if (l->calls->report)
		deadline = earlier(deadline, l->next_ns);
	if (l->calls->observe)
		deadline = earlier(deadline, reporting_due_ns(l->reporting));
	return deadline;
}

/* How long to follow the targets before the next look. */
static unsigned wait_ms(const struct run_loop *l, uint64_t now_ns)
{
	unsigned most = l->attend_ms ? l->attend_ms : POLL_MS_MAX;
	uint64_t deadline = deadline_ns(l), left_ms;

	if (now_ns >= deadline)
		return 0;
	left_ms = (deadline - now_ns) / 1000000 + 1;
	return left_ms < most ? (unsigned)left_ms : most;
}

/* When all have ended there is nothing to follow, just time to pass. */
static int follow(struct run_loop *l, unsigned ms)
{
	const struct timespec pause = {.tv_sec = ms / 1000,
				       .tv_nsec = ms % 1000 * 1000000L};
	struct reporting *r = l->reporting;
	int got;

	if (!r->following && !tracer_alive(r->tracer)) {
		nanosleep(&pause, NULL);
		return 0;
	}
	got = tracer_poll(r->tracer, (int)ms);
	if (r->following)
		following_step(r->following, r->tracer);
	targets_observe(r->targets);
	forget_unused(r);
	if (got >= 0 || got == -EINTR)
		return 0;
	diag_error("cannot follow the process any more: %s", strerror(-got));
	return got;
}

/* A report that took longer than the interval skips some. */
static void plan_next(struct run_loop *l, uint64_t now_ns)
{
	uint64_t interval = l->reporting->options->interval_ms * 1000000;

	while (l->next_ns <= now_ns)
		l->next_ns += interval;
}

static int serve_due(struct run_loop *l, uint64_t now_ns)
{
	const struct run_calls *c = l->calls;

	if (l->paused)
		return 0;
	if (c->report && now_ns >= l->next_ns) {
		plan_next(l, now_ns);
		return c->report(l->context);
	}
	if (c->observe && now_ns >= reporting_due_ns(l->reporting))
		return c->observe(l->context);
	return 0;
}

static enum exit_code code_of(struct run_loop *l, int err)
{
	l->unread = err == -EPIPE;
	return reporting_exit_code(err);
}

enum exit_code run_loop(struct run_loop *l)
{
	for (;;) {
		uint64_t now = monotonic_ns();
		int err = 0;

		if (l->calls->attend)
			err = l->calls->attend(l->context);
		if (err > 0 || is_over(l, now))
			return EXIT_CODE_OK;
		if (!err)
			err = serve_due(l, now);
		if (err)
			return code_of(l, err);
		if (follow(l, wait_ms(l, monotonic_ns())))
			return EXIT_CODE_INTERNAL;
	}
}
