/* SPDX-License-Identifier: GPL-2.0-only */
/* What the pages of `leakbpf serve` show: the last report. */
#ifndef CLI_SERVING_PAGES_H
#define CLI_SERVING_PAGES_H

#include "cli/reporting.h"
#include "serve/serve.h"

struct serving_pages {
	struct reporting *reporting;
	bool ready; /* there is a report */
};

/* A serve_render_fn; the context is a struct serving_pages. */
int serving_page(enum serve_page page, uint32_t pid, FILE *out, void *context);

#endif
