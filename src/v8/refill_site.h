/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Private to src/v8: where to probe what fills allocation areas of V8 10 and 11
 * so that the collector's own allocators, which call the same functions
 * thousands of times in a scavenge that promotes much, do not come by.
 *
 * The old generation's areas are filled by TryAllocationFromFreeListMain. It
 * takes the space's lock while the old area is still there, and gives it back
 * when the new one is; the collector's spaces have one thread each and no lock:
 *
 *	if (SupportsConcurrentAllocation()) lock;
 *	...; ComputeLimit(...); ...
 *	unlock;
 *
 * The new space has an EnsureAllocation of its own, in which the object is an
 * argument of the call of ComputeLimit; in a shared library that call is one
 * function further in. The kernel emulates all those calls.
 *
 * A shared library calls its public functions by way of its PLT, as Debian's
 * libnode does. Another object may then give the function that runs, but what
 * is probed is the call, and its arguments are the same.
 */
#ifndef V8_REFILL_SITE_H
#define V8_REFILL_SITE_H

#include "v8/layout_symbols.h"

/* Of calls, from their functions' entries. */
struct v8_refill_sites {
	uint32_t lock, unlock; /* in TryAllocationFromFreeListMain */
	uint32_t limit;	       /* in limit_function */
	uint16_t lock_offset;  /* space -> lock */
	/* The new space's EnsureAllocation, or what that calls. */
	struct v8_symbol limit_function;
};

/* False: not there, or not what it was in the versions that we know. */
bool v8_refill_sites_find(const struct object *o, const struct v8_symbols *s,
			  struct v8_refill_sites *out);

#endif
