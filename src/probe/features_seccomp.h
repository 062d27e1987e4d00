/* SPDX-License-Identifier: GPL-2.0-only */
/* Part of features.h's implementation. */
#ifndef PROBE_FEATURES_SECCOMP_H
#define PROBE_FEATURES_SECCOMP_H

#include <stdbool.h>

#include "probe/feature_lab.h"

/* Whether a return probe of link kind `kind` kills a process whose seccomp
 * filter does not know about it. When that cannot be found out: true. */
bool features_return_kills_seccomp(struct lab *lab, enum link_kind kind);

#endif
