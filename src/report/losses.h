/* SPDX-License-Identifier: GPL-2.0-only */
/* Everything that makes a report less than complete, each cause with its
 * count. */
#ifndef REPORT_LOSSES_H
#define REPORT_LOSSES_H

#include "report/report.h"

struct report_loss {
	uint64_t count; /* never 0 */
	const char *what;
	double share; /* of all walks; 0: says nothing */
};

typedef void (*report_loss_fn)(const struct report_loss *loss, void *context);
void report_each_loss(const struct report *r, report_loss_fn each,
		      void *context);

#endif
