/* SPDX-License-Identifier: GPL-2.0-only */
/* `leakbpf report FILE` and `leakbpf diff BEFORE AFTER`: need no privileges,
 * and no process. */
#ifndef CLI_REPORT_RUN_H
#define CLI_REPORT_RUN_H

#include "cli/options.h"

enum exit_code report_run(const struct options *options);
enum exit_code diff_run(const struct options *options);

#endif
