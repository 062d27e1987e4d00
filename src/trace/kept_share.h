/* SPDX-License-Identifier: GPL-2.0-only */
/* Totals of a stack of whose live blocks only a share counts as live. */
#ifndef TRACE_KEPT_SHARE_H
#define TRACE_KEPT_SHARE_H

struct stack_stats;

/* Samples and variances as with so many fewer blocks; shares are 0..1. What
 * cohorts and totals hold is the caller's business. */
void stack_stats_keep(struct stack_stats *s, double bytes, double objects);

#endif
