/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Pauses of a garbage collector, in which everything waits: probes on the
 * allocations that it makes itself may make them longer by a few per cent, no
 * matter how little that is of the program's time. Pure arithmetic: no clock,
 * no I/O.
 */
#ifndef BUDGET_PAUSES_H
#define BUDGET_PAUSES_H

/* What happened between two looks, or the sums: older ones count less and less.
 */
struct pauses {
	double wall_ns;
	double count, ns;     /* pauses that have ended, and their time */
	double hits, hits_in; /* of the probes: all, and those in pauses */
};

void pauses_add(struct pauses *sum, const struct pauses *fresh);
/* What the probes may cost, CPU time per time, for pauses to stay as they are;
 * INFINITY: there are too few pauses to speak of, or hits in them. */
double pauses_share(const struct pauses *sum);

#endif
