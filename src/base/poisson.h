/* SPDX-License-Identifier: GPL-2.0-only */
/* What a count that was a matter of chance says about its mean. */
#ifndef BASE_POISSON_H
#define BASE_POISSON_H

/* 95 % limits for the mean of a Poisson variable of which `n` (it may be a
 * fraction) was seen. */
void poisson_limits(double n, double *low, double *high);

#endif
