/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds a stack in a profile. */
#ifndef TESTS_FIND_STACK_H
#define TESTS_FIND_STACK_H

#include "profile/profile.h"

static inline const struct profile_stack *find_stack(struct profile *p,
						     uint32_t id)
{
	size_t count;
	const struct profile_stack *const *list =
		profile_sorted(p, PROFILE_BY_LIVE, &count);

	for (size_t i = 0; i < count; i++)
		if (list[i]->id == id)
			return list[i];
	fail_msg("stack %u is not among the %zu of the profile", id, count);
	return NULL;
}

#endif
