/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Reading objects of V8's heap while they stand still, in the pause of a
 * collection: where they have gone, whether they are marked, how large they
 * are.
 *
 * V8 keeps an object's map, a tagged pointer, in its first word; a forwarding
 * address is untagged (map-word.h in src/objects of V8).
 */
#ifndef BPF_V8_OBJECTS_H
#define BPF_V8_OBJECTS_H

#include "v8_heap.h"

enum v8_deed { V8_SCAVENGE, V8_MARK, V8_EVACUATE, V8_FORGET };

/* What one pass over the samples goes by. */
struct v8_pass {
	enum v8_deed deed;
	__u32 word; /* of v8_young_used, the next one */
	__u64 left; /* of the one before, bits to be looked at */
	__u64 heap; /* 0: all of the process */
	__u64 now_ns;
	__u32 owner;
	__u32 forward_bad; /* forwarding addresses that made no sense */
	__u16 page_flags;
	__u16 page_metadata;
	__u16 mark_bits;
	__u16 type_first_nonstring;
};

enum v8_fate { V8_STAYS, V8_DEAD, V8_UNREADABLE };

/* Follows a forwarding address, if there is one: V8_DEAD when not. */
static __always_inline enum v8_fate v8_forward(struct v8_sample *s,
					       struct v8_pass *pass)
{
	__u64 word;

	if (bpf_probe_read_user(&word, sizeof(word), (void *)s->address))
		return V8_UNREADABLE;
	if (word & V8_TAG)
		return V8_DEAD;
	if (!word || word & 7 || word >= ARCH_USER_ADDRESS_MAX) {
		pass->forward_bad++;
		return V8_UNREADABLE;
	}
	s->address = word;
	return V8_STAYS;
}

static __always_inline bool v8_page_flags(const struct v8_sample *s,
					  const struct v8_pass *pass,
					  __u64 *flags)
{
	__u64 page = s->address & ~(V8_PAGE_BYTES - 1);

	return !bpf_probe_read_user(flags, sizeof(*flags),
				    (void *)(page + pass->page_flags));
}

static __always_inline enum v8_fate v8_marked(const struct v8_sample *s,
					      const struct v8_pass *pass)
{
	__u64 page = s->address & ~(V8_PAGE_BYTES - 1), base = page, cell;
	__u64 bit = (s->address - page) / V8_CELL_BYTES;

	if (pass->page_metadata != V8_PAGE_INLINE &&
	    bpf_probe_read_user(&base, sizeof(base),
				(void *)(page + pass->page_metadata)))
		return V8_UNREADABLE;
	if (bpf_probe_read_user(
		    &cell, sizeof(cell),
		    (void *)(base + pass->mark_bits + (bit >> 6) * 8)))
		return V8_UNREADABLE;
	return cell >> (bit & 63) & 1 ? V8_STAYS : V8_DEAD;
}

/*
 * Bytes of an initialised object. Map: instance size in words at 8 (0: it
 * varies), instance type at 12. Strings have their length in characters at 12,
 * arrays at 8, as a Smi; elements of 8 bytes are taken for granted, as nearly
 * all have. 0: not known.
 */
static __always_inline __u64 v8_size_of(const struct v8_sample *s,
					const struct v8_pass *pass)
{
	__u64 map, facts, length, size;

	if (bpf_probe_read_user(&map, sizeof(map), (void *)s->address) ||
	    !(map & V8_TAG) ||
	    bpf_probe_read_user(&facts, sizeof(facts),
				(void *)(map - V8_TAG + 8)) ||
	    bpf_probe_read_user(&length, sizeof(length),
				(void *)(s->address + 8)))
		return 0;
	size = (facts & 0xff) * 8;
	if (size)
		return size;
	length >>= V8_SMI_SHIFT;
	size = 16 + length;
	if ((__u16)(facts >> 32) >= pass->type_first_nonstring)
		size += 7 * length;
	return size;
}

#endif
