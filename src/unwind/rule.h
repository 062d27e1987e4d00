/* SPDX-License-Identifier: GPL-2.0-only */
/* From a CFI state to a packed rule (leakbpf/unwind_rule.h). */
#ifndef UNWIND_RULE_H
#define UNWIND_RULE_H

#include <stdint.h>

#include "unwind/cfi.h"
#include "unwind/unwind_table.h"

/* Rules that do not fit go to the pool; when that is full, UNWIND_BAD. */
uint32_t rule_from_state(const struct cfi_state *state,
			 struct unwind_rule_pool *pool);

#endif
