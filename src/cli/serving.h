/* SPDX-License-Identifier: GPL-2.0-only */
/* `leakbpf serve`: follows the targets and answers HTTP requests with what is
 * known of them. */
#ifndef CLI_SERVING_H
#define CLI_SERVING_H

#include "cli/exit_codes.h"
#include "cli/reporting.h"
#include "serve/serve.h"

/* Before anything is attached: listens, and forks the process that speaks
 * HTTP. */
enum exit_code serving_open(const struct options *options, struct serve **out);
/* Until a signal, the end of the duration, or of all targets. */
enum exit_code serving_run(struct reporting *r, struct serve *server);

#endif
