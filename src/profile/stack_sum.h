/* SPDX-License-Identifier: GPL-2.0-only */
/* Sums of what several stacks of the kernel have. */
#ifndef PROFILE_STACK_SUM_H
#define PROFILE_STACK_SUM_H

#include "leakbpf/abi_user.h"

/* What a stack has allocated since it was first seen. */
struct stack_flow {
	__u64 samples, bytes, objects_q8;
};
void stack_flow_add(struct stack_flow *to, const struct stack_flow *from);

void stack_stats_add(struct stack_stats *sum, const struct stack_stats *s);
/* What is freed for good. */
void stack_stats_add_gone(struct stack_stats *sum,
			  const struct stack_flow *gone);

#endif
