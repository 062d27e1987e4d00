/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Probes on V8's allocation areas are hit as often as areas are used up, which
 * is thousands of times a second where old space has many small gaps. Of
 * --max-overhead they get three quarters (the rest is for windows); where they
 * cost more, they rest in between (budget/rests.h). Those in collections stay:
 * what has been sampled is followed all the time.
 */
#ifndef TRACE_V8_RESTS_H
#define TRACE_V8_RESTS_H

#include <stdint.h>

struct tracee;
struct tracer;

/* The probes have been set. */
void v8_rests_start(const struct tracer *t, struct tracee *e, uint64_t now_ns);
/* Charges what was read from meters last (window_costs.h). */
void v8_rests_charge(struct tracer *t, uint64_t now_ns);
/* Takes probes out and sets them again. */
void v8_rests_follow(struct tracer *t, uint64_t now_ns);
/* When the next look is due, at most `latest_ns`; `soon_ns` where something may
 * run out. */
uint64_t v8_rests_next_look(const struct tracer *t, uint64_t soon_ns,
			    uint64_t latest_ns);
/* For struct target: what a sample stands for, times 256. */
uint32_t v8_rests_scale_q8(const struct tracee *e);

#endif
