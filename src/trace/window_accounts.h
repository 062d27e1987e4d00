/* SPDX-License-Identifier: GPL-2.0-only */
/* What was spent (window_costs.h) goes on the accounts of targets, of all of
 * them together, and of what is limited for itself. */
#ifndef TRACE_WINDOW_ACCOUNTS_H
#define TRACE_WINDOW_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>

struct tracee;
struct tracer;
struct window;

/* Who may have accounts: tracees and, in the end, all that share probes, as one
 * (sharing.h). */
size_t window_account_count(const struct tracer *t);
struct tracee *window_account(const struct tracer *t, size_t i);
/* Alive, and the one that accounts are kept for, of those that share memory or
 * probes. */
bool window_leads(const struct tracee *e);
/* Charges what was spent since the last time. */
void window_accounts_settle(struct tracer *t);
/* From what was spent since the state began. */
void window_measure_rates(struct window *w);

#endif
