/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_OWN_COST_H
#define CLI_OWN_COST_H

#include "report/report.h"

/* What this process takes of the machine; zeros where that is not known. The
 * helpers that speak HTTP and read symbols are not in it. */
struct report_self own_cost(void);

#endif
