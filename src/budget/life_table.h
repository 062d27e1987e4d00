/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How long the blocks of a call path live, from glimpses: while a target is
 * observed in windows, most blocks are freed unseen. What is seen is which of
 * those from earlier windows are freed within a later one, by age: deaths per
 * bytes at risk and time, an actuary's life table. From that follows which
 * share of what is on the books still lives. Pure arithmetic.
 *
 * At risk is all that is on the books, although some of it has died unseen:
 * allocators soon hand out an address again, as a rule to the same call path,
 * and the end of the new block is seen as that of the old one. Where they do
 * not, deaths are underestimated: what is live at most comes to 1/e of all that
 * was born too much. Where few blocks of a call path never die, and the others
 * soon, those few are missed until most of the others have been seen to die.
 */
#ifndef BUDGET_LIFE_TABLE_H
#define BUDGET_LIFE_TABLE_H

#include "leakbpf/abi_user.h"

/* By classes of age (abi.h). Zeroed: nothing is known, all lives for ever. */
struct life_table {
	double deaths[LIFE_CLASSES];   /* bytes */
	double exposure[LIFE_CLASSES]; /* bytes at risk times seconds */
};

/* What a window of `seconds` has seen: bytes that were freed in it, and that
 * were on the books from before it at its end. Older windows count less. */
void life_table_add(struct life_table *t, const double deaths[LIFE_CLASSES],
		    const double at_risk[LIFE_CLASSES], double seconds);

/*
 * Of blocks on the books that were seen alive at the age of `seen` seconds, and
 * since then not observed for a share of `unseen` of the time, the share that
 * lives at `age`. They stand for others, born up to `spread` seconds before
 * them: the mean over those. 0..1.
 */
double life_table_share(const struct life_table *t, double seen, double age,
			double spread, double unseen);

/*
 * The most deaths per second that so few as were seen allow (97.5 %), whatever
 * the age: few or none say little when few blocks were looked at, or briefly.
 * `sample_bytes`: what a block stands for. Very many when none was looked at.
 */
double life_table_hazard_most(const struct life_table *t, double sample_bytes);

#endif
