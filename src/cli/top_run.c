/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/top_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/run_loop.h"
#include "top/screen.h"
#include "top/view.h"

/* Keys are looked for this often. */
#define KEY_POLL_MS 50
/* The first figures come early: the user is waiting. */
#define FIRST_UPDATE_MS 500

struct top {
	struct reporting *reporting;
	struct top_screen *screen;
	struct top_view view;
	struct run_loop loop;
	bool shown; /* there is a report */
	bool dirty; /* to be drawn */
	int err;    /* why it ended */
};

/* Also between reports: rows refer to the stacks of the last snapshot. */
static int update(void *context)
{
	struct top *t = context;
	int err = reporting_update(t->reporting, false);

	if (!err)
		err = reporting_diagnose(t->reporting);
	if (!err)
		err = top_view_update(&t->view, &t->reporting->report);
	t->shown = t->dirty = !err;
	t->err = err;
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

static int attend(void *context)
{
	struct top *t = context;

	t->err = handle_keys(t);
	if (t->loop.paused && !t->view.paused)
		t->loop.next_ns = monotonic_ns();
	t->loop.paused = t->view.paused;
	if (t->dirty)
		top_screen_draw(t->screen, &t->view,
				t->shown ? &t->reporting->report : NULL);
	t->dirty = false;
	return t->err ? t->err : t->view.quit;
}

enum exit_code top_run(struct reporting *r)
{
	static const struct run_calls calls = {
		.report = update,
		.observe = update,
		.attend = attend,
	};
	struct top t = {
		.reporting = r,
		.loop = {.reporting = r,
			 .calls = &calls,
			 .context = &t,
			 .attend_ms = KEY_POLL_MS,
			 .next_ns =
				 r->attached_ns + FIRST_UPDATE_MS * 1000000ULL,
			 .outlives_targets = true},
		.dirty = true,
	};
	enum exit_code code;
	int err = top_screen_open(&t.screen, !getenv("NO_COLOR"));

	if (err)
		return err == -ENOMEM ? EXIT_CODE_INTERNAL : EXIT_CODE_OUTPUT;
	code = run_loop(&t.loop);
	top_screen_close(t.screen);
	top_view_free(&t.view);
	if (t.err)
		diag_error("cannot go on: %s", strerror(-t.err));
	return code;
}
