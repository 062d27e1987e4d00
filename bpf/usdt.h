/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Event source: USDT probes of OpenTelemetry's provider otel_memory, which a
 * sampler in the target fires for the allocations it samples:
 *
 *	alloc(pointer, size, weight)	weight: bytes that this sample stands
 *for free(pointer)			of a sampled block
 *
 * A probe is a nop anywhere in a function, so the walk starts with that
 * function's own unwind rule.
 */
#ifndef BPF_USDT_H
#define BPF_USDT_H

#include "own_sampler.h"

static __always_inline __u64 usdt_register(struct pt_regs *ctx, __u16 offset)
{
	__u64 value = 0;

	if (offset != USDT_NO_OFFSET)
		bpf_probe_read_kernel(&value, sizeof(value),
				      (void *)ctx + offset);
	return value;
}

static __always_inline bool
usdt_argument(struct pt_regs *ctx, const struct usdt_operand *a, __u64 *value)
{
	__u64 v = a->value;

	if (a->kind != USDT_IS_CONSTANT)
		v += usdt_register(ctx, a->base) +
		     usdt_register(ctx, a->index) * a->scale;
	if (a->kind == USDT_IS_MEMORY &&
	    bpf_probe_read_user(&v, sizeof(v), (void *)v))
		return false;
	v <<= a->unused_bits & 63;
	*value = a->is_signed ? (__u64)((__s64)v >> (a->unused_bits & 63))
			      : v >> (a->unused_bits & 63);
	return true;
}

/* P * 2^32 of a block of `size` bytes that stands for `weight`, which is
 * larger. */
static __always_inline __u32 usdt_threshold(__u64 size, __u64 weight)
{
	__u64 p;

	if (size >> 31) {
		size >>= 24;
		weight >>= 24;
	}
	p = weight ? (size << 32) / weight : 0;
	if (p >> 32)
		return 0;
	return p ? (__u32)p : 1;
}

static __always_inline int usdt_allocated(struct pt_regs *ctx,
					  const struct usdt_spec *spec)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32, threshold = 0, stack;
	struct target *target = target_find(tgid);
	__u64 p, size, weight;

	if (!target) {
		count(COUNTER_NOT_A_TARGET, 1);
		return 0;
	}
	if (!usdt_argument(ctx, &spec->operands[0], &p) ||
	    !usdt_argument(ctx, &spec->operands[1], &size) ||
	    !usdt_argument(ctx, &spec->operands[2], &weight)) {
		count(COUNTER_LOST_ARGUMENTS, 1);
		return 0;
	}
	if (!p || size < filter_min_size || size > filter_max_size)
		return 0;
	if (!size)
		size = 1;
	/* Of a block larger than the sampler's interval it may tell that it
	 * stands for less than itself. */
	if (weight > size)
		threshold = usdt_threshold(size, weight);
	else if (weight)
		size = weight;
	if (!own_sample_kept(size, &threshold))
		return 0;
	stack = own_sample_stack(ctx, tgid, target->map_epoch,
				 STACK_SOURCE_NATIVE, true);
	if (stack != STACK_ID_NONE)
		block_allocated(target->owner, p, size, stack, threshold);
	return 0;
}

static __always_inline int usdt_freed(struct pt_regs *ctx,
				      const struct usdt_spec *spec)
{
	struct target *target = target_find(bpf_get_current_pid_tgid() >> 32);
	struct block b;
	__u64 p;

	if (!target)
		return 0;
	if (!usdt_argument(ctx, &spec->operands[0], &p)) {
		count(COUNTER_LOST_ARGUMENTS, 1);
		return 0;
	}
	if (p && block_take(p, target->owner, &b))
		block_freed(&b);
	return 0;
}

static __always_inline int usdt_fired(struct pt_regs *ctx)
{
	__u64 cookie = bpf_get_attach_cookie(ctx);
	__u32 site = PROBE_COOKIE_SITE(cookie);
	struct usdt_spec *spec = bpf_map_lookup_elem(&usdt_specs, &site);

	count_site(cookie);
	if (!spec)
		return 0;
	if (PROBE_COOKIE_KIND(cookie) == USDT_ALLOC)
		return usdt_allocated(ctx, spec);
	return usdt_freed(ctx, spec);
}

#endif
