/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <stdio.h>

#include "trace/tracer.h"

/* --explain: where each probe stands, and what it costs. 0 or -errno. */
int explain_print(FILE *out, const struct tracer *t);

#endif
