/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the allocation functions of one object call each other: which only
 * forward, which may leave by a jump to another one, and what code behind them
 * calls them again.
 */
#ifndef PROBE_ALLOC_GRAPH_H
#define PROBE_ALLOC_GRAPH_H

#include "probe/catalogue.h"

/*
 * Takes out functions that only forward, sets PROBE_TAIL_CALLS, fills in
 * unknown sizes and the internals. `f->list` is sorted by address,
 * `f->allocator` NULL when unknown. 0 or -ENOMEM.
 */
int alloc_graph_refine(const struct object *o, struct alloc_functions *f);

#endif
