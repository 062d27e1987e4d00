/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to src/v8: where to probe MainAllocator::ResetLab (V8 12 and 13).
 *
 * The collector's own allocators call it hundreds of times in a scavenge, on
 * all of its threads. Those of the program, and no others, keep their area's
 * bounds for concurrent marking (linear_area_original_data_), and lock them:
 *
 *	if (SupportsPendingAllocation()) { lock; set the bounds; unlock; }
 *
 * The call of `lock` is an instruction that the kernel emulates. By then the
 * area is the new one. What was used of the old one is still in a register: its
 * top, from the start of the page, with which the page's high-water mark was
 * raised.
 */
#ifndef V8_LAB_SITE_H
#define V8_LAB_SITE_H

#include "v8/layout_symbols.h"

struct v8_lab_site {
	uint32_t offset;       /* of the call, from the function's entry */
	uint16_t lock;	       /* MainAllocator -> lock, its argument */
	uint16_t top_register; /* offset in the kernel's struct pt_regs */
};

/* False: not there, or not what it was in the versions that we know. */
bool v8_lab_site_find(const struct object *o, const struct v8_symbol *function,
		      struct v8_lab_site *out);

#endif
