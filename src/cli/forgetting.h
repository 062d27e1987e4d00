/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Programs come and go for as long as a session lasts, and what is known of
 * them has a fixed amount of room. So what nobody refers to any more is
 * forgotten: no process maps it, no stack leads through it, and no report names
 * it.
 */
#ifndef CLI_FORGETTING_H
#define CLI_FORGETTING_H

#include "cli/reporting.h"

/* Now and then, between reports; called many times a second. Symbols got before
 * are not valid afterwards. */
void forget_unused(struct reporting *r);

#endif
