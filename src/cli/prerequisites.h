/* SPDX-License-Identifier: GPL-2.0-only */
/* What has to be there before anything is traced. What is not is reported, with
 * what to do about it. */
#ifndef CLI_PREREQUISITES_H
#define CLI_PREREQUISITES_H

#include "cli/exit_codes.h"
#include "cli/options.h"
#include "probe/features.h"
#include "trace/closer.h"

enum exit_code check_privileges(void);
/* Finds out what the kernel can do; `closer` takes what it was tried with. */
enum exit_code check_kernel(const struct options *o,
			    struct kernel_features *features,
			    struct closer *closer);

#endif
