/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Maps and globals. max_entries of 1 is a placeholder: the loader sizes every
 * table from the memory limit before loading (src/trace/memory_plan.c).
 */
#ifndef BPF_MAPS_H
#define BPF_MAPS_H

#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>

#include "leakbpf/abi.h"
#include "leakbpf/v8_abi.h"

/* ---- Set by the loader -------------------------------------------------- */

const volatile __u64 filter_min_size = 0;
const volatile __u64 filter_max_size = ~0ULL;
const volatile __u64 outstanding_max = 0;	 /* blocks */
const volatile __u64 outstanding_high_water = 0; /* blocks */
const volatile __u32 block_line_mask = 0;	 /* lines less one */
const volatile __u32 stepped_units = 1;		 /* a stepped hit's cost */
const volatile __u32 meter_unit_ns = 1000;	 /* a hit's cost */
const volatile __u32 possible_cpus = 1;
const volatile bool all_maps = false; /* --mmap */
/* Random: targets must not be able to make stacks or blocks collide. */
const volatile __u64 stack_hash_seed = 0;
const volatile __u64 block_hash_seed = 0;

/* Written by the loader (and coarsened here when a table is full). */
struct sampling sampling = {};
struct cohort_layout cohort_layouts[2] = {};
__u32 cohort_active = 0;
__u32 v8_present = 0;	     /* some target runs V8 */
__u32 shared_targets = 0;    /* targets whose owner is another process */
__u32 starts_watched = 0;    /* EVENT_STARTED is wanted */
__u32 window_number = 0;     /* observation windows that have ended */
__u64 page_interval_min = 0; /* bytes between samples of pages, at least */
struct alloc_site alloc_sites[ALLOC_SITES_MAX] = {};
__u32 alloc_site_count = 0;
/* bool: births_unseen (struct target) of all that have shared probes */
__u32 shared_births_unseen = 0;
/* bool, by site: shared probes tell of allocations there, not those of a
 * process (shared.h). */
__u8 site_shared[PROBE_SITES_MAX] = {};

/* ---- Written here, read by the loader ----------------------------------- */

__s64 outstanding_count = 0;
__u32 pressure_raised = 0; /* one EVENT_TABLE_PRESSURE until reset */
__u32 starts_sent = 0;	   /* EVENT_STARTED since the loader's last look */
__u64 starts_missed = 0;   /* ... and those that were too many */
__u32 rescan_raised = 0;   /* one EVENT_MAPS_CHANGED for unknown addresses */

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTER_COUNT);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, PROBE_SITES_MAX);
	__type(key, __u32);
	__type(value, __u64);
} site_hits SEC(".maps");

/* By meter and kind. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, METERS_MAX *METER_KINDS);
	__type(key, __u32);
	__type(value, __u64);
} meters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32); /* tgid */
	__type(value, struct target);
} targets SEC(".maps");

/* Processes whose blocks are about to be taken off the books. */
#define PURGED_MAX 256
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, PURGED_MAX);
	__type(key, __u32); /* tgid */
	__type(value, __u32);
} purged SEC(".maps");

/* The same by the low bits of the tgid, where no two share them: costs less
 * than the hash map. Written by the loader. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, TARGET_SLOTS);
	__type(key, __u32);
	__type(value, struct target_slot);
} target_slots SEC(".maps");

static __always_inline struct target *target_find(__u32 tgid)
{
	__u32 at = tgid & (TARGET_SLOTS - 1);
	struct target_slot *slot = bpf_map_lookup_elem(&target_slots, &at);

	if (slot && slot->tgid == tgid)
		return &slot->target;
	return bpf_map_lookup_elem(&targets, &tgid);
}

#define EVENTS_BYTES (256 * 1024)
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
} events SEC(".maps");

/* ---- Unwinding ----------------------------------------------------------- */

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32); /* tgid */
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct exec_range));
		});
} process_ranges SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, OBJECTS_MAX);
	__type(key, __u32); /* object id */
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_ARRAY);
			__uint(map_flags, BPF_F_INNER_MAP | BPF_F_MMAPABLE);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(__u32));
			__uint(value_size, sizeof(struct unwind_row));
		});
} unwind_objects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct unwind_rule_ext);
} unwind_rules SEC(".maps");

/*
 * Direct-mapped cache of address -> (frame, rule). Lock-free: `check` is the
 * key mixed with the data, so a torn entry is a miss (R. Hyatt's trick).
 */
#define PC_CACHE_ENTRIES 8192
struct pc_cache_entry {
	__u64 check;
	__u64 frame;
	__u64 rule;
	__u64 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PC_CACHE_ENTRIES);
	__type(key, __u32);
	__type(value, struct pc_cache_entry);
} pc_cache SEC(".maps");

/* ---- Samplers of targets --------------------------------------------------
 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, USDT_SPECS_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* site */
	__type(value, struct usdt_spec);
} usdt_specs SEC(".maps");

/* ---- Stacks ---------------------------------------------------------------
 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64); /* hash of the frames */
	__type(value, __u32);
} stack_index SEC(".maps");

/* Direct-mapped cache of hash -> id: a hint, as the frames are compared. */
#define STACK_CACHE_ENTRIES 8192
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, STACK_CACHE_ENTRIES);
	__type(key, __u32);
	__type(value, __u32);
} stack_cache SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_frames);
} stack_frames SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_stats);
} stack_stats SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_lives);
} stack_lives SEC(".maps");

/* Ids ready for use, filled by the loader; oldest first, so that a recycled id
 * rests as long as possible. */
struct {
	__uint(type, BPF_MAP_TYPE_QUEUE);
	__uint(max_entries, 1);
	__uint(key_size, 0);
	__uint(value_size, sizeof(__u32));
} free_stacks SEC(".maps");

/* ---- Blocks ----------------------------------------------------------------
 */

/* The table of outstanding blocks: block_table.h. Mappable only for its
 * alignment: a line of keys then is a cache line. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct block_line);
} block_lines SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct block);
} blocks SEC(".maps");

static __always_inline struct block_line *block_line_at(__u32 line)
{
	return bpf_map_lookup_elem(&block_lines, &line);
}

static __always_inline struct block *block_at(__u32 number)
{
	return bpf_map_lookup_elem(&blocks, &number);
}

/* A call between its entry and its return. */
enum pending_state {
	PENDING_IDLE = 0,
	PENDING_SAMPLED, /* becomes a block on success */
	PENDING_WATCHED, /* not sampled, but its return matters */
};

struct pending_key {
	__u32 tid;
	__u32 is_map; /* mmap inside malloc must not clobber malloc's entry */
};

struct pending {
	__u64 entry_sp;
	__u64 cookie;
	__u64 size;
	__u64 out_pointer; /* posix_memalign's first argument */
	__u64 old_address; /* realloc: block set aside until the call returns */
	struct block old;  /* old.booking == 0: none */
	__u64 old_length;  /* mremap */
	__u32 owner;	   /* struct target */
	__u32 stack;
	__u32 threshold;
	__u32 state;
	__u32 suppressed; /* tail calls seen inside */
	__u32 window;	  /* window_number when it began */
	__u32 large;	  /* bool: a large block, and booked as such */
	__u32 reserved;
};

/*
 * Calls of threads by the low bits of their id, which costs less than the hash
 * map below. That one is for threads whose slot belongs to another, and for
 * mmap.
 */
#define CALL_SLOTS 4096
struct call_slot {
	__u32 tid; /* 0: free */
	__u32 reserved;
	struct pending call;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CALL_SLOTS);
	__type(key, __u32);
	__type(value, struct call_slot);
} call_slots SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct pending_key);
	__type(value, struct pending);
} pending SEC(".maps");

/* ---- Pages ------------------------------------------------------------------
 */

/* The last page fault of a thread, by the low bits of its id. */
#define PAGE_FAULTS 4096
struct page_fault {
	__u64 address; /* of the page; 0: counted, or none */
	/* Where in user mode it began: tells that it is still going on. */
	__u64 pc, call;
	__u64 booked; /* page that was not on the books and is now; 0: none */
	__u32 tid;
	__u32 order; /* log2 of the pages that were allocated for it */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, PAGE_FAULTS);
	__type(key, __u32);
	__type(value, struct page_fault);
} page_faults SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, GONE_PAGES_MAX);
	__type(key, __u32);
	__type(value, __u64);
} gone_pages SEC(".maps");

/* ---- Counting ---------------------------------------------------------------
 */

static __always_inline void count(__u32 which, __u64 amount)
{
	__u64 *slot = bpf_map_lookup_elem(&counters, &which);

	/* Atomic although per CPU: programs on uprobes can be preempted. */
	if (slot)
		__sync_fetch_and_add(slot, amount);
}

/* For work done on every hit or sample, so not atomic: a preemption right here
 * may cost some counts of millions. Losses are counted atomically. */
static __always_inline void count_work(__u32 which, __u64 amount)
{
	__u64 *slot = bpf_map_lookup_elem(&counters, &which);

	if (slot)
		*slot += amount;
}

static __always_inline void count_site(__u64 cookie)
{
	__u32 site = PROBE_COOKIE_SITE(cookie);
	__u64 *slot = bpf_map_lookup_elem(&site_hits, &site); /* as above */
	__u32 kind = PROBE_COOKIE_KIND(cookie);
	__u32 meter = PROBE_COOKIE_METER(cookie) * METER_KINDS;

	if (slot)
		*slot += 1;
	meter += kind < FREE_POINTER	? METER_ALLOC
		 : kind == FREE_POINTER ? METER_FREE
		 : kind <= MAP_MREMAP	? METER_MAPS
		 : V8_ALLOCATES(kind)	? METER_V8
					: METER_OTHER;
	slot = bpf_map_lookup_elem(&meters, &meter);
	if (slot)
		*slot += PROBE_COOKIE_FLAGS(cookie) & PROBE_STEPPED
				 ? stepped_units
				 : 1;
}

/* Work at a probe that is far more than that of most hits. */
static __always_inline void meter_work(__u64 cookie, __u32 kind, __u64 took_ns)
{
	__u32 meter = PROBE_COOKIE_METER(cookie) * METER_KINDS + kind;
	__u64 *slot = bpf_map_lookup_elem(&meters, &meter);

	if (slot)
		*slot += took_ns / meter_unit_ns;
}

static __always_inline void send_event(__u32 type, __u32 tgid, __u64 value)
{
	struct event e = {.type = type, .tgid = tgid, .value = value};

	if (bpf_ringbuf_output(&events, &e, sizeof(e), 0))
		count(COUNTER_LOST_EVENTS, 1);
}

#endif
