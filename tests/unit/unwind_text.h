/* SPDX-License-Identifier: GPL-2.0-only */
/* Unwind rules as text, so that a failing test shows both sides. */
#ifndef TESTS_UNIT_UNWIND_TEXT_H
#define TESTS_UNIT_UNWIND_TEXT_H

#include <stdio.h>

#include "unwind/unwind_table.h"

struct rule_text {
	char text[96];
};

static inline const char *register_text(uint32_t reg)
{
	return reg == UNWIND_REG_SP ? "sp" : "fp";
}

static inline void ext_text(const struct unwind_rule_ext *x, char *to,
			    size_t size)
{
	static const char *const bases[] = {"same", "cfa", "fp", "sp"};
	char cfa[48], fp[32] = "same";

	if (x->plt_threshold)
		snprintf(cfa, sizeof(cfa), "plt(%u) sp%+d", x->plt_threshold,
			 x->cfa_offset);
	else if (x->deref)
		snprintf(cfa, sizeof(cfa), "*(%s%+d)%+d",
			 register_text(x->cfa_register), x->cfa_offset,
			 x->deref_offset);
	else
		snprintf(cfa, sizeof(cfa), "%s%+d",
			 register_text(x->cfa_register), x->cfa_offset);
	if (x->fp_saved)
		snprintf(fp, sizeof(fp), "%s%+d", bases[x->fp_saved & 3],
			 x->fp_offset);
	snprintf(to, size, "%s, fp %s", cfa, fp);
}

/* "sp+16, fp same", "fp+16, fp cfa-16", "*(fp-8)+0, fp fp+0", "none", ... */
static inline struct rule_text rule_text(uint32_t rule,
					 const struct unwind_rule_pool *pool)
{
	static const char *const plain[] = {"none", "root",   "",    "",
					    "",	    "signal", "bad", "?"};
	struct rule_text t;
	size_t used;

	used = (size_t)snprintf(t.text, sizeof(t.text), "%s",
				rule & UNWIND_ALLOCATOR ? "allocator " : "");
	switch (UNWIND_RULE_KIND(rule)) {
	case UNWIND_CFA_SP:
	case UNWIND_CFA_FP:
		used += (size_t)snprintf(
			t.text + used, sizeof(t.text) - used, "%s%+d, fp ",
			UNWIND_RULE_KIND(rule) == UNWIND_CFA_SP ? "sp" : "fp",
			UNWIND_RULE_OFFSET(rule));
		if (rule & UNWIND_FP_SAVED)
			snprintf(t.text + used, sizeof(t.text) - used, "cfa%+d",
				 -(int)UNWIND_RULE_FP_BELOW_CFA(rule));
		else
			snprintf(t.text + used, sizeof(t.text) - used, "same");
		break;
	case UNWIND_EXT:
		ext_text(&pool->rules[UNWIND_RULE_INDEX(rule)], t.text + used,
			 sizeof(t.text) - used);
		break;
	default:
		snprintf(t.text + used, sizeof(t.text) - used, "%s",
			 plain[UNWIND_RULE_KIND(rule)]);
	}
	return t;
}

#endif
