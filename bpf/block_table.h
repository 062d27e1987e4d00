/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The table of outstanding blocks: a lock-free hash table in two arrays, which
 * costs a third of the kernel's hash map (no helper calls, no bucket lock, no
 * free list) and never evicts.
 *
 * A line of keys is one cache line; the block of key k of line n is element
 * n * BLOCK_LINE_KEYS + k of the other array. A block lies in its home line
 * or, when that is full, in one of the next lines of its probe sequence. The
 * home line counts those that lie elsewhere: a look-up goes on only then.
 *
 * An entry's life, whatever runs on other processors or preempts:
 *   free       key 0, booking 0
 *   claimed    key set (compare and swap from 0), booking 0: seen by nobody
 *   on books   booking set: the block is found
 *   taken      booking swapped for 0: whoever did it owns the entry, reads the
 *              block and frees the entry by storing 0 into the key
 *
 * The includer gives: __always_inline, __noinline; arch_store_release();
 * block_line_at() and block_at(), the arrays' elements or NULL;
 * block_line_mask, number of lines less one (they are a power of two); and
 * block_hash_seed, random, as targets must not be able to fill chosen lines.
 */
#ifndef BPF_BLOCK_TABLE_H
#define BPF_BLOCK_TABLE_H

/* Lines a block may lie in. At the most blocks the table is sized for, four of
 * seven keys are used on average; all these lines are full for one in 6,000. */
#define BLOCK_LINES_TRIED 4

/* Where a block lies: line << 3 | key's place in it. */
#define BLOCK_NOWHERE	  (~0U)
#define BLOCK_LINE(where) ((where) >> 3)
#define BLOCK_KEY(where)  ((where)&7)
#define BLOCK_NUMBER(where)                                                    \
	(BLOCK_LINE(where) * BLOCK_LINE_KEYS + BLOCK_KEY(where))

/* A word cannot hold address and owner: the block tells owners apart. */
static __always_inline __u64 block_key(__u64 address, __u32 owner)
{
	return address ^ (__u64)owner << 48;
}

static __always_inline __u64 block_hash(__u64 address, __u32 owner)
{
	__u64 h = (address ^ (__u64)owner << 42) * (block_hash_seed | 1);

	return (h ^ h >> 32) * 0x9e3779b97f4a7c15ULL;
}

static __always_inline __u32 block_home(__u64 hash)
{
	return (hash >> 32) & block_line_mask;
}

/* Odd, so that the sequence passes through all lines. */
static __always_inline __u32 block_step(__u64 hash)
{
	return (__u32)hash >> 8 | 1;
}

/* Where the block is, or BLOCK_NOWHERE. */
__noinline __u32 block_find(__u64 address, __u32 owner)
{
	__u64 hash = block_hash(address, owner),
	      key = block_key(address, owner);
	__u32 n = block_home(hash), i, k;

	for (i = 0; i < BLOCK_LINES_TRIED; i++) {
		struct block_line *line = block_line_at(n);

		if (!line)
			break;
		for (k = 0; k < BLOCK_LINE_KEYS; k++) {
			struct block *b;

			if (line->keys[k] != key)
				continue;
			b = block_at(n * BLOCK_LINE_KEYS + k);
			if (b && b->owner == owner && b->booking)
				return n << 3 | k;
		}
		if (!i && !line->displaced)
			break;
		n = (n + block_step(hash)) & block_line_mask;
	}
	return BLOCK_NOWHERE;
}

/* Claims an entry for a block that is not in the table, or BLOCK_NOWHERE: there
 * is none. */
__noinline __u32 block_claim(__u64 address, __u32 owner)
{
	__u64 hash = block_hash(address, owner),
	      key = block_key(address, owner);
	__u32 home = block_home(hash), n = home, i, k;

	for (i = 0; i < BLOCK_LINES_TRIED; i++) {
		struct block_line *line = block_line_at(n);

		if (!line || !key)
			break;
		for (k = 0; k < BLOCK_LINE_KEYS; k++) {
			if (line->keys[k] ||
			    __sync_val_compare_and_swap(&line->keys[k], 0, key))
				continue;
			if (i && (line = block_line_at(home)))
				__sync_fetch_and_add(&line->displaced, 1);
			return n << 3 | k;
		}
		n = (n + block_step(hash)) & block_line_mask;
	}
	return BLOCK_NOWHERE;
}

static __always_inline __u64 *block_key_at(__u32 where)
{
	struct block_line *line = block_line_at(BLOCK_LINE(where));
	__u64 k = BLOCK_KEY(where);

	barrier_var(k); /* or the verifier cannot see that it is below 8 */
	return line ? (__u64 *)line + (k & 7) : NULL;
}

/* Frees an entry whose booking the caller has swapped for 0. */
static __always_inline void block_release(__u32 where, __u64 address,
					  __u32 owner)
{
	__u32 home = block_home(block_hash(address, owner));
	__u64 *key = block_key_at(where);
	struct block_line *line;

	if (!key)
		return;
	arch_store_release(key, 0);
	if (home != BLOCK_LINE(where) && (line = block_line_at(home)))
		__sync_fetch_and_add(&line->displaced, -1);
}

/* Puts a block that is not there into the table. False: no room for it. */
static __always_inline bool block_insert(__u64 address,
					 const struct block *from)
{
	__u32 where = block_claim(address, from->owner);
	struct block *b;

	if (where == BLOCK_NOWHERE)
		return false;
	b = block_at(BLOCK_NUMBER(where));
	if (!b)
		return false;
	b->size = from->size;
	b->birth_ns = from->birth_ns;
	b->owner = from->owner;
	b->draw = from->draw;
	arch_store_release(&b->booking, from->booking);
	return true;
}

/* Takes the block out of the table into *out; out->booking is 0 when it was
 * not there. */
static __always_inline void block_extract(__u64 address, __u32 owner,
					  struct block *out)
{
	__u32 where = block_find(address, owner);
	struct block *b;
	__u64 *key;

	out->booking = 0;
	if (where == BLOCK_NOWHERE)
		return;
	b = block_at(BLOCK_NUMBER(where));
	key = block_key_at(where);
	if (!b || !key)
		return;
	out->booking = __sync_lock_test_and_set(&b->booking, 0);
	if (!out->booking)
		return;
	out->size = b->size;
	out->birth_ns = b->birth_ns;
	out->owner = b->owner;
	out->draw = b->draw;
	if (*key != block_key(address, owner) || out->owner != owner) {
		/* Preempted since the look-up, it was freed by another and its
		 * entry used again: not ours to take. */
		arch_store_release(&b->booking, out->booking);
		out->booking = 0;
		return;
	}
	block_release(where, address, owner);
}

#endif
