/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report says of the targets. It has copies of all texts: it may be
 * shown while targets come, go and call exec. */
#ifndef CLI_REPORTING_TARGETS_H
#define CLI_REPORTING_TARGETS_H

#include "cli/reporting.h"

/* Fills in `report`. 0 or -ENOMEM. */
int reporting_targets_update(struct reporting *r);
/* The report has no targets then. */
void reporting_targets_free(struct reporting *r);

#endif
