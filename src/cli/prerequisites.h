/* SPDX-License-Identifier: GPL-2.0-only */
/* What has to be there before anything is traced. What is not is reported, with
 * what to do about it. */
#ifndef CLI_PREREQUISITES_H
#define CLI_PREREQUISITES_H

#include "cli/exit_codes.h"
#include "cli/options.h"
#include "probe/features.h"

enum exit_code check_privileges(void);
/* Finds out what the kernel can do. */
enum exit_code check_kernel(const struct options *o,
			    struct kernel_features *features);

#endif
