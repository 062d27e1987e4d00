/* SPDX-License-Identifier: GPL-2.0-only */
/* What targets have done, and what probes have cost them, since the last look.
 */
#ifndef TRACE_WINDOW_COSTS_H
#define TRACE_WINDOW_COSTS_H

#include <stdint.h>

struct tracee;
struct tracer;

/* Meters count the hits of a process. 0: none is free; its hits go uncounted,
 * and its windows stay open. */
uint32_t meter_take(struct tracer *t);
void meter_give_back(struct tracer *t, uint32_t meter);

/* The first look at a process. */
void window_costs_start(struct tracer *t, struct tracee *e, uint64_t now_ns);
/* Sets `fresh` of each window: hits of the process and of those that share its
 * memory times what a hit costs, and its part, by hits on allocations, of the
 * time that samples have taken. */
void window_costs_read(struct tracer *t);

#endif
