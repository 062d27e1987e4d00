/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/serving_pages.h"

#include <errno.h>

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

int serving_page(enum serve_page page, uint32_t pid, FILE *out, void *context)
{
	struct serving_pages *s = context;
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
