/* SPDX-License-Identifier: GPL-2.0-only */
/* Verdicts on native memory that is only observed in windows. */
#ifndef VERDICT_UNOBSERVED_H
#define VERDICT_UNOBSERVED_H

#include "verdict/diagnosis.h"

/* In fewer windows than a verdict takes. */
bool unobserved_is_seldom(const struct diagnosis_facts *facts);
/* Withdraws what windows cannot tell. */
void unobserved_doubt(const struct profile *p, const struct profile_stack *s,
		      const struct diagnosis_facts *facts, struct verdict *v);

#endif
