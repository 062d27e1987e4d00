/* SPDX-License-Identifier: GPL-2.0-only */
/* `leakbpf serve`: follows the targets, answers HTTP requests with what is
 * known of them, and behaves as a service: pid file, word to the service
 * manager, reloading, a record of what is watched, few privileges. */
#ifndef CLI_SERVING_H
#define CLI_SERVING_H

#include "cli/exit_codes.h"
#include "cli/reporting.h"

struct serving;

/* Before anything else is opened: the pid file and the listening socket are
 * taken, and the process is forked that forks those that speak HTTP. */
enum exit_code serving_open(const struct options *options,
			    struct serving **out);
/* When helpers are forked, programs loaded and a command is started, before
 * any target is touched: gives up privileges that are not needed from here
 * on, and checks that outputs can be written without. */
enum exit_code serving_confine(struct serving *s, enum link_kind link,
			       const struct output *output);
/* Until a signal, the end of the duration, or of all targets. */
enum exit_code serving_run(struct serving *s, struct reporting *r);
void serving_close(struct serving *s); /* NULL is fine */

#endif
