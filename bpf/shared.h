/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Probes that many processes share: one link without a filter, so whoever maps
 * the file hits them, and these programs decide (src/trace/sharing.h).
 *
 * While a process goes over from probes of its own to shared ones, or back, it
 * has both, and each hit runs both programs, one after the other. Frees are
 * taken by both: the second finds nothing. Allocations are counted by those
 * that `site_shared` says; should that change between the two programs of a
 * hit, neither may count it, which sampling does not notice. Where every block
 * counts both do, and the second is recognised as nested. A block that realloc
 * gives up is looked for by the shared one in any case.
 */
#ifndef BPF_SHARED_H
#define BPF_SHARED_H

#include "maps.h"

static __always_inline bool hit_is_shared(__u64 cookie)
{
	return PROBE_COOKIE_FLAGS(cookie) & PROBE_SHARED;
}

/* False: a shared probe was hit by a process that does not count there. Else
 * the cookie says on which meter the hit goes. */
static __always_inline bool hit_admit(__u64 *cookie)
{
	struct target *target;

	if (!hit_is_shared(*cookie))
		return true;
	target = target_find(bpf_get_current_pid_tgid() >> 32);
	if (!target) {
		count_work(COUNTER_BYSTANDERS, 1);
		return false;
	}
	if (!(target->shared >>
		      (PROBE_COOKIE_METER(*cookie) & (PROBES_SHARED_MAX - 1)) &
	      1))
		return false;
	*cookie = PROBE_COOKIE_METERED(*cookie, target->meter);
	return true;
}

/* There is another probe here, which tells of it. */
static __always_inline bool hit_is_others(__u64 cookie)
{
	__u32 site = PROBE_COOKIE_SITE(cookie) & (PROBE_SITES_MAX - 1);

	return hit_is_shared(cookie) != (site_shared[site] != 0);
}

static __always_inline bool hit_tells_births(__u64 cookie)
{
	return !hit_is_others(cookie) || !sampling.interval_bytes;
}

static __always_inline bool births_unseen(const struct target *target)
{
	return target->births_unseen ||
	       (target->shared && shared_births_unseen);
}

#endif
