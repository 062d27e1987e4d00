/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Remembers walks. A walk depends on nothing but where it starts (process,
 * tables, probe site, stack pointer, sometimes the frame pointer) and on the
 * words of stack memory that it used. So when all of these are as they were,
 * the stack is the one found then: comparing some words takes a tenth of the
 * time of walking, and programs allocate again and again from the same places.
 *
 * Only complete walks are kept, and none that depended on anything else (a
 * signal frame, the kernel's list of return probes).
 */
#ifndef BPF_MEMO_H
#define BPF_MEMO_H

#include "unwind.h"

#define MEMO_ENTRIES 512

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MEMO_ENTRIES);
	__type(key, __u32);
	__type(value, struct memo);
} memos SEC(".maps");

static __always_inline struct memo *memo_slot(struct walk *w)
{
	__u64 mixed = (w->memo.entry_sp ^ w->memo.first_word << 16 ^
		       w->memo.site << 40 ^ w->tgid) *
		      0x9e3779b97f4a7c15ULL;
	__u32 slot = mixed >> 40 & (MEMO_ENTRIES - 1);

	return bpf_map_lookup_elem(&memos, &slot);
}

/* Starts the record of a walk. */
static __always_inline void memo_begin(struct walk *w, __u32 tgid, __u32 epoch,
				       __u64 site, __u64 entry_sp, __u64 fp)
{
	w->tgid = tgid;
	w->window_base = ~0ULL;
	w->fp_place = 0;
	w->memo.words = 0;
	w->memo.uses_fp = 0;
	w->memo.tgid = tgid;
	w->memo.epoch = epoch;
	w->memo.site = site;
	w->memo.entry_sp = entry_sp;
	w->memo.fp = fp;
	w->memo.first_word = 0;
}

/* True when every word that the remembered walk used is still the same. */
__noinline int memo_words_match(struct walk *w, struct memo *e)
{
	__u32 i, words;

	if (!w || !e)
		return 0;
	words = e->words;
	for (i = 0; i < MEMO_WORDS; i++) {
		__u64 value;

		if (i >= words)
			return 1;
		if (!stack_word(w, w->memo.entry_sp + e->place[i] * 8ULL,
				&value) ||
		    value != e->value[i])
			return 0;
	}
	return words == MEMO_WORDS;
}

/* The stack id of the walk that memo_begin has described, STACK_ID_NONE when
 * it must be walked. Never an id that the index does not hold: the loader may
 * be about to recycle it. */
static __always_inline __u32 memo_find(struct walk *w)
{
	struct memo *e;
	__u64 index_key;
	__u32 version, id, depth, *known;

	if (!stack_word(w, w->memo.entry_sp, &w->memo.first_word))
		return STACK_ID_NONE;
	e = memo_slot(w);
	if (!e)
		return STACK_ID_NONE;
	version = *(volatile __u32 *)&e->version;
	if (version & 1 || e->entry_sp != w->memo.entry_sp ||
	    e->site != w->memo.site || e->tgid != w->memo.tgid ||
	    e->epoch != w->memo.epoch ||
	    (e->uses_fp && e->fp != w->memo.fp) || !memo_words_match(w, e))
		return STACK_ID_NONE;
	id = e->stack;
	depth = e->depth;
	index_key = e->index_key;
	/* x86 does not reorder loads; elsewhere a barrier belongs here. */
	if (*(volatile __u32 *)&e->version != version)
		return STACK_ID_NONE;
	known = bpf_map_lookup_elem(&stack_index, &index_key);
	if (!known || *known != id)
		return STACK_ID_NONE;
	count(COUNTER_UNWIND_FRAMES, depth);
	count(COUNTER_STACK_END + STACK_END_ROOT, 1);
	return id;
}

static __always_inline void memo_store(struct walk *w, __u32 id)
{
	struct stack_stats *stats = bpf_map_lookup_elem(&stack_stats, &id);
	struct memo *e = memo_slot(w);
	__u32 version;

	if (!e || !stats || w->stack.end != STACK_END_ROOT ||
	    w->memo.words > MEMO_WORDS)
		return;
	version = *(volatile __u32 *)&e->version;
	if (version & 1 || __sync_val_compare_and_swap(&e->version, version,
						       version + 1) != version)
		return; /* someone else writes */
	w->memo.stack = id;
	w->memo.depth = w->stack.depth;
	w->memo.index_key = stats->index_key;
	bpf_probe_read_kernel((void *)e + MEMO_HEAD, sizeof(*e) - MEMO_HEAD,
			      (void *)&w->memo + MEMO_HEAD);
	__sync_fetch_and_add(&e->version, 1);
}

#endif
