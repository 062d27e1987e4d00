/* SPDX-License-Identifier: GPL-2.0-only */
/* `leakbpf top`: follows the targets and shows them on the terminal until the
 * user quits. Targets that end stay on show. */
#ifndef CLI_TOP_RUN_H
#define CLI_TOP_RUN_H

#include "cli/exit_codes.h"
#include "cli/reporting.h"

enum exit_code top_run(struct reporting *r);

#endif
