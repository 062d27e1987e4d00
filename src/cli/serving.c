/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/serving.h"

#include <errno.h>

#include "base/clock.h"
#include "base/diag.h"
#include "cli/run_loop.h"

/* How long a request may have to wait before it is looked at. */
#define REQUEST_POLL_MS 50
/* An HTTP process that dies again and again: not restarted more often. */
#define RESTART_GAP_NS 1000000000ULL

struct serving {
	struct reporting *reporting;
	struct serve *server;
	uint64_t restart_ns; /* earliest restart of the HTTP process */
	bool ready;	     /* there is a report */
	bool broken;	     /* the HTTP process has died */
};

enum exit_code serving_open(const struct options *options, struct serve **out)
{
	struct serve_options o = {
		.listen = options->listen ? options->listen : LISTEN_DEFAULT,
		.token_file = options->token_file,
	};

	switch (-serve_open(&o, out)) {
	case 0:
		return EXIT_CODE_OK;
	case EINVAL:
	case EACCES:
		return EXIT_CODE_USAGE;
	default:
		return EXIT_CODE_OUTPUT;
	}
}

/* ---- Pages --------------------------------------------------------------- */

static const struct report_target *find_target(const struct report *r,
					       uint32_t pid)
{
	for (size_t i = 0; i < r->target_count; i++)
		if ((uint32_t)r->targets[i].pid == pid)
			return &r->targets[i];
	return NULL;
}

static int write_page(enum serve_page page, FILE *out, const struct report *r)
{
	static const enum report_format formats[SERVE_PAGES] = {
		[SERVE_METRICS] = REPORT_METRICS,
		[SERVE_PPROF_HEAP] = REPORT_PPROF,
		[SERVE_PPROF_ALLOCS] = REPORT_PPROF,
		[SERVE_REPORT] = REPORT_HTML,
		[SERVE_API] = REPORT_JSON,
	};

	return report_write(formats[page], out, r);
}

static int render(enum serve_page page, uint32_t pid, FILE *out, void *context)
{
	struct serving *s = context;
	struct report r = s->reporting->report;
	int err;

	if (!s->ready)
		return -EAGAIN;
	if (page == SERVE_HEALTH) {
		fputs("ok\n", out);
		return 0;
	}
	if (pid) {
		r.targets = find_target(&r, pid);
		r.target_count = 1;
		if (!r.targets)
			return -ENOENT;
	}
	r.allocated_first = page == SERVE_PPROF_ALLOCS;
	profile_select(r.profile, pid);
	err = write_page(page, out, &r);
	profile_select(r.profile, 0);
	return err;
}

/* ---- Running ------------------------------------------------------------- */

static int write_report(void *context)
{
	struct serving *s = context;
	int err = reporting_write(s->reporting, false);

	s->ready = !err;
	return err;
}

/* Between reports: the pages show the last snapshot. */
static int update(void *context)
{
	struct serving *s = context;
	int err = reporting_update(s->reporting, false);

	return err ? err : reporting_diagnose(s->reporting);
}

static int attend(void *context)
{
	struct serving *s = context;
	uint64_t now_ns = monotonic_ns();

	if (!s->broken && serve_handle(s->server, render, s)) {
		diag_warn("the HTTP process has died: starting another");
		s->broken = true;
	}
	if (!s->broken || now_ns < s->restart_ns)
		return 0;
	s->restart_ns = now_ns + RESTART_GAP_NS;
	s->broken = serve_restart(s->server) != 0;
	return 0;
}

enum exit_code serving_run(struct reporting *r, struct serve *server)
{
	static const struct run_calls calls = {
		.report = write_report,
		.observe = update,
		.attend = attend,
	};
	struct serving s = {.reporting = r, .server = server};
	struct run_loop loop = {
		.reporting = r,
		.calls = &calls,
		.context = &s,
		.attend_ms = REQUEST_POLL_MS,
		/* At once: a scrape may come any moment. */
		.next_ns = r->attached_ns,
	};

	return run_loop(&loop);
}
