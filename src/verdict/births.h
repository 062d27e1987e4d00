/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The past of garbage-collected memory. What is live is known only at full
 * collections, of which there are few; but the times of birth of what survived
 * them are known well. So its past is told by them: how much of what was born
 * until then still lives. A leak rises at an even rate; what is kept from the
 * start only does not; what is let go after a while does not reach back.
 */
#ifndef VERDICT_BIRTHS_H
#define VERDICT_BIRTHS_H

#include "profile/profile.h"
#include "profile/series.h"

/*
 * `settled_seconds`: of what was born before, as many full collections have
 * shown whether it lives as are needed; seconds since attach. Takes room for
 * COHORTS + 1 points; returns how many there are.
 */
size_t births_history(const struct series_cohort *cohorts, size_t count,
		      double settled_seconds, double bytes_per_sample,
		      struct series_point *out);

#endif
