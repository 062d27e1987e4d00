/* SPDX-License-Identifier: GPL-2.0-only */
/* Part of features.h's implementation. */
#ifndef PROBE_FEATURES_CALIBRATE_H
#define PROBE_FEATURES_CALIBRATE_H

#include "probe/feature_lab.h"

struct probe_costs {
	uint32_t entry_emulated_ns;
	uint32_t entry_stepped_ns;
	uint32_t return_ns; /* in addition to the entry */
};

/* Measures probe hits with empty programs, links of `kind`. A session's entry
 * is one that declines the return. Some 20 ms. 0 or -errno. */
int features_calibrate(struct lab *lab, enum link_kind kind,
		       struct probe_costs *costs);

#endif
