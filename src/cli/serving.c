/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/serving.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/reload.h"
#include "cli/run_loop.h"
#include "cli/serving_pages.h"
#include "cli/signals.h"
#include "cli/watch_record.h"
#include "serve/serve.h"
#include "service/notify.h"
#include "service/pid_file.h"
#include "service/privileges.h"

/* How long a request may have to wait before it is looked at. */
#define REQUEST_POLL_MS 50
/* An HTTP process that dies again and again: not restarted more often. */
#define RESTART_GAP_NS 1000000000ULL

struct serving {
	struct reload reload;
	struct pid_file pid_file;
	struct notify notify;
	struct watch_record watch;
	struct serve *server;
	struct serving_pages pages;
	struct run_loop loop;
	uint64_t restart_ns; /* earliest restart of the HTTP process */
	bool broken;	     /* the HTTP process has died */
};

/* ---- Opening ------------------------------------------------------------- */

static enum exit_code listen_for_requests(struct serving *s,
					  const struct options *options)
{
	struct serve_options o = {
		.listen = options->listen ? options->listen : LISTEN_DEFAULT,
		.token_file = options->token_file,
	};

	switch (-serve_open(&o, &s->server)) {
	case 0:
		return EXIT_CODE_OK;
	case EINVAL:
	case EACCES:
		return EXIT_CODE_USAGE;
	default:
		return EXIT_CODE_OUTPUT;
	}
}

static enum exit_code open_all(struct serving *s, const struct options *o)
{
	notify_open(&s->notify);
	if (signals_reload_on_hangup())
		return EXIT_CODE_INTERNAL;
	if (pid_file_open(&s->pid_file, o->pid_file) ||
	    watch_record_open(&s->watch, o->state_dir))
		return EXIT_CODE_OUTPUT;
	return listen_for_requests(s, o);
}

enum exit_code serving_open(const struct options *options, struct serving **out)
{
	struct serving *s = calloc(1, sizeof(*s));
	enum exit_code code;

	if (!s)
		return EXIT_CODE_INTERNAL;
	s->reload.started = options;
	s->notify.fd = -1;
	code = open_all(s, options);
	if (code == EXIT_CODE_OK)
		*out = s;
	else
		serving_close(s);
	return code;
}

void serving_close(struct serving *s)
{
	if (!s)
		return;
	serve_close(s->server);
	pid_file_close(&s->pid_file);
	watch_record_free(&s->watch);
	notify_close(&s->notify);
	reload_close(&s->reload);
	free(s);
}

enum exit_code serving_confine(struct serving *s, enum link_kind link,
			       const struct output *output)
{
	if (privileges_keep_few(link == LINK_PERF))
		return EXIT_CODE_PRIVILEGES;
	if (!output_check(output) && !watch_record_check(&s->watch))
		return EXIT_CODE_OK;
	diag_error("leakbpf serve gives up CAP_DAC_OVERRIDE: it writes where "
		   "root may as owner");
	return EXIT_CODE_OUTPUT;
}

/* ---- Running ------------------------------------------------------------- */

static void tell_status(struct serving *s)
{
	const struct report *r = &s->pages.reporting->report;
	size_t alive = 0;

	for (size_t i = 0; i < r->target_count; i++)
		alive += r->targets[i].alive;
	notify_status(
		&s->notify, "following %zu processes: %s", alive,
		r->diagnosis
			? diagnosis_name(diagnosis_summary(r->diagnosis)->kind)
			: "no verdict yet");
}

static int write_report(void *context)
{
	struct serving *s = context;
	int err = reporting_write(s->pages.reporting, false);

	if (err)
		return err;
	if (!s->pages.ready)
		notify_ready(&s->notify);
	s->pages.ready = true;
	tell_status(s);
	watch_record_keep(&s->watch, s->pages.reporting->targets);
	return 0;
}

/* Between reports: the pages show the last snapshot. */
static int update(void *context)
{
	struct serving *s = context;
	int err = reporting_update(s->pages.reporting, false);

	return err ? err : reporting_diagnose(s->pages.reporting);
}

/* A report at once: the one before may be about what has gone. */
static int reload(struct serving *s, uint64_t now_ns)
{
	struct reporting *r = s->pages.reporting;
	int err;

	notify_reloading(&s->notify);
	reload_options(&s->reload, r);
	s->loop.next_ns = now_ns + r->options->interval_ms * 1000000;
	err = write_report(s);
	notify_ready(&s->notify);
	return err;
}

static void answer_requests(struct serving *s, uint64_t now_ns)
{
	if (!s->broken && serve_handle(s->server, serving_page, &s->pages)) {
		diag_warn("the HTTP process has died: starting another");
		s->broken = true;
	}
	if (!s->broken || now_ns < s->restart_ns)
		return;
	s->restart_ns = now_ns + RESTART_GAP_NS;
	s->broken = serve_restart(s->server) != 0;
}

static int attend(void *context)
{
	struct serving *s = context;
	uint64_t now_ns = monotonic_ns();

	notify_alive(&s->notify, now_ns);
	if (signals_take_reload()) {
		int err = reload(s, now_ns);

		if (err)
			return err;
	}
	answer_requests(s, now_ns);
	return 0;
}

enum exit_code serving_run(struct serving *s, struct reporting *r)
{
	static const struct run_calls calls = {
		.report = write_report,
		.observe = update,
		.attend = attend,
	};
	enum exit_code code;

	s->pages.reporting = r;
	r->unwatched_seconds = watch_record_compare(&s->watch, r->targets);
	s->loop = (struct run_loop){
		.reporting = r,
		.calls = &calls,
		.context = s,
		.attend_ms = REQUEST_POLL_MS,
		/* At once: a scrape may come any moment. */
		.next_ns = r->attached_ns,
	};
	code = run_loop(&s->loop);
	notify_stopping(&s->notify);
	watch_record_end(&s->watch, r->targets);
	return code;
}
