/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/top_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/signals.h"
#include "top/screen.h"
#include "top/view.h"

/* Keys are looked for this often; also how long tracing is followed between. */
#define KEY_POLL_MS 50
/* The first figures come early: the user is waiting. */
#define FIRST_UPDATE_MS 500

struct top {
	struct reporting *reporting;
	struct top_screen *screen;
	struct top_view view;
	uint64_t next_ns; /* update */
	bool shown;	  /* there is a report */
	bool dirty;	  /* to be drawn */
};

static int update(struct top *t)
{
	int err = reporting_update(t->reporting, false);

	if (!err)
		err = reporting_diagnose(t->reporting);
	if (!err)
		err = top_view_update(&t->view, &t->reporting->report);
	t->shown = t->dirty = !err;
	return err;
}

static int handle_keys(struct top *t)
{
	int key, err = 0;

	while (!err && (key = top_screen_key(t->screen)) >= 0) {
		t->dirty = true;
		if (key == TOP_KEY_RESIZE)
			continue;
		if (top_view_key(&t->view, key, top_screen_page(t->screen)) &&
		    t->shown)
			err = top_view_update(&t->view, &t->reporting->report);
	}
	return err;
}

/* Follows the targets for a moment; when all have ended just waits. */
static int follow(struct top *t)
{
	const struct timespec moment = {.tv_nsec = KEY_POLL_MS * 1000000L};
	struct tracer *tracer = t->reporting->tracer;
	int got;

	if (!tracer_alive(tracer)) {
		nanosleep(&moment, NULL);
		return 0;
	}
	got = tracer_poll(tracer, KEY_POLL_MS);
	targets_observe(t->reporting->targets);
	return got < 0 && got != -EINTR ? got : 0;
}

static bool over(const struct top *t, uint64_t end_ns)
{
	return t->view.quit || signals_stop_requested() ||
	       monotonic_ns() >= end_ns;
}

static int run(struct top *t)
{
	const struct options *o = t->reporting->options;
	uint64_t start = t->reporting->attached_ns;
	uint64_t end =
		o->duration_ms ? start + o->duration_ms * 1000000 : UINT64_MAX;
	int err = 0;

	t->next_ns = start + FIRST_UPDATE_MS * 1000000ULL;
	t->dirty = true;
	while (!err && !over(t, end)) {
		uint64_t now = monotonic_ns();

		err = handle_keys(t);
		if (!err && now >= t->next_ns && !t->view.paused) {
			err = update(t);
			t->next_ns = now + o->interval_ms * 1000000;
		}
		if (t->dirty)
			top_screen_draw(t->screen, &t->view,
					t->shown ? &t->reporting->report
						 : NULL);
		t->dirty = false;
		if (!err)
			err = follow(t);
	}
	return err;
}

enum exit_code top_run(struct reporting *r)
{
	struct top t = {.reporting = r};
	int err = top_screen_open(&t.screen, !getenv("NO_COLOR"));

	if (err)
		return err == -ENOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_OUTPUT;
	err = run(&t);
	top_screen_close(t.screen);
	top_view_free(&t.view);
	if (err) {
		diag_error("cannot go on: %s", strerror(-err));
		return EXIT_CODE_INTERNAL;
	}
	return EXIT_CODE_OK;
}
