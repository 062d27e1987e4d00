/* SPDX-License-Identifier: GPL-2.0-only */
/* One run of leakbpf, from checked options to detached probes. */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/options.h"

/* The process's exit status; whatever went wrong has been reported. */
enum exit_code session_run(const struct options *options);

#endif
