/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * The contract between the BPF programs and user space: every type that
 * crosses a map, every constant both sides must agree on, and nothing else.
 * Both sides compile this file, so it uses fixed-width types only and includes
 * nothing: the includer provides __u8..__u64 and __s64.
 */
#ifndef LEAKBPF_ABI_H
#define LEAKBPF_ABI_H

/* ---- Stacks and frames ------------------------------------------------ */

/* Frames kept of one call stack; a deeper one ends with STACK_END_DEPTH. */
#define STACK_FRAMES_MAX 127

/*
 * A frame is position independent, so that a stack keeps its identity and its
 * meaning when the object is unloaded, or is the same in another process:
 *
 *   bits 63..48  object id (OBJECT_NONE: bits 47..0 are an absolute address)
 *   bits 47..0   link-time virtual address inside that object (ELF p_vaddr
 *                space: run-time address minus load bias)
 *
 * It is always the address to look up: for a caller that is its return
 * address minus one, so that it lies inside the call instruction; for an
 * interrupted or probed instruction it is the instruction itself.
 */
#define FRAME_OBJECT_SHIFT 48
#define FRAME_ADDRESS_MASK ((1ULL << FRAME_OBJECT_SHIFT) - 1)
#define OBJECT_NONE	   0
#define OBJECTS_MAX	   4096

/* Why a walk ended. Only STACK_END_ROOT is a complete stack. Capture files hold
 * these numbers: new ones come last. */
#define STACK_END_REASONS(X)                                                   \
	X(ROOT, "complete")                                                    \
	X(DEPTH, "deeper than 127 frames")                                     \
	X(NO_MAPPING, "address outside every known executable mapping")        \
	X(NO_CFI, "no unwind information and no frame pointer")                \
	X(BAD_RULE, "unsupported unwind rule")                                 \
	X(READ_FAULT, "stack memory not readable")                             \
	X(NO_PROGRESS, "stack pointer does not advance")

enum stack_end {
#define X(id, text) STACK_END_##id,
	STACK_END_REASONS(X)
#undef X
		STACK_END_COUNT
};

/* One interned stack, leaf first. Map `stack_frames`, indexed by stack id. */
struct stack_frames {
	__u32 depth;   /* 0: slot unused */
	__u16 end;     /* enum stack_end */
	__u16 retired; /* by the loader: only finish what was begun with it */
	__u64 frames[STACK_FRAMES_MAX];
};

/*
 * Two reserved stack ids. Bytes are never dropped because a table is full:
 * they go to STACK_ID_OVERFLOW, and the report says so.
 */
#define STACK_ID_NONE	  0
#define STACK_ID_OVERFLOW 1
#define STACK_ID_FIRST	  2

/* What kind of memory a stack holds. Stacks with the same frames but different
 * sources have different ids. Capture files hold these numbers. */
enum stack_source {
	STACK_SOURCE_NATIVE,  /* malloc and friends, mmap */
	STACK_SOURCE_V8_HEAP, /* objects on V8's heap */
	STACK_SOURCE_GO_HEAP, /* objects on the heap of a Go program */
	STACK_SOURCE_GROWTH,  /* pages, by who touched them first */
	/* The same of a process whose blocks are counted, too, as far as it is
	 * observed: so these count in no sum. Never in the kernel. */
	STACK_SOURCE_BESIDE,
	STACK_SOURCES
};

/* Cohorts: blocks grouped by birth time, so ages cost O(stacks). */
#define COHORTS 16

/*
 * Totals of one stack, map `stack_stats`, indexed by stack id. All estimates:
 * each sampled block counts for 1/P blocks and size/P bytes, P being the
 * probability with which it was sampled. Live = alloc - freed. What follows
 * from the rest is not kept by the programs but filled in by the loader when it
 * reads (*), as every addition costs.
 */
struct stack_stats {
	__u64 alloc_samples;
	__u64 freed_samples;
	__u64 alloc_bytes;
	__u64 freed_bytes;	/* (*) */
	__u64 alloc_objects_q8; /* 1/256 object; (*) one for each sample */
	__u64 freed_objects_q8; /* (*) */
	/* Horvitz-Thompson variance, sum of (1-P)(size/P)^2 over live samples,
	 * in (1 << sampling.variance_shift)^2 bytes^2. */
	__u64 live_bytes_variance;
	/* sum of (1-P)/P^2 over live samples, in 1/16 object^2. */
	__u64 live_objects_variance_q4;
	__u64 first_alloc_ns; /* CLOCK_MONOTONIC */
	__u64 last_alloc_ns;
	__u64 last_free_ns;
	__u64 index_key;	     /* its key in map `stack_index` */
	__u32 tgid;		     /* owner of the stack */
	__u32 source;		     /* enum stack_source */
	__s64 cohort_bytes[COHORTS]; /* live, by cohort slot */
	__s64 cohort_objects_q8[COHORTS];
	/* In user space's copies: of what is live that much is for certain
	 * (97.5 %), although some of the time it is not observed; 0: not known.
	 */
	__u64 surely_live_bytes;
	/* The same: what is live is uncertain by so much more, as windows stand
	 * for other times. By chance, in the unit of live_bytes_variance; and a
	 * standard deviation that all stacks of a process have in common. */
	__u64 windows_variance;
	__u64 windows_error_bytes;
};

/* ---- Cohort layout (written by user space only) ------------------------ */

/* Cohort i covers births in [start_ns[i], start_ns[i+1]); entry `count - 1` is
 * the current one. slot[i] indexes the cohort_* arrays of stack_stats. */
struct cohort_layout {
	__u32 count;
	__u32 reserved;
	__u64 start_ns[COHORTS];
	__u32 slot[COHORTS];
};

/* ---- Outstanding sampled blocks ---------------------------------------- */

struct block {
	__u64 size;
	__u64 birth_ns; /* CLOCK_MONOTONIC */
	/* stack | threshold << 32: one word, so that whoever swaps it for 0 has
	 * claimed the block and alone takes it off the books. */
	__u64 booking;
	__u32 owner; /* tgid of the process whose memory it is */
	/* Of a page: the number its sampling was decided by, never 0. Another
	 * sampling rate decides by the same one. 0: not a page. */
	__u32 draw;
};

/* A cache line of the table (bpf/block_table.h). */
#define BLOCK_LINE_KEYS 7
struct block_line {
	__u64 keys[BLOCK_LINE_KEYS];
	__u64 displaced; /* blocks that belong here but lie in other lines */
};

#define BLOCK_BOOKING(stack, threshold) ((__u64)(threshold) << 32 | (stack))
#define BLOCK_STACK(booking)		((__u32)(booking))
/* P * 2^32; 0 stands for P = 1 */
#define BLOCK_THRESHOLD(booking) ((__u32)((booking) >> 32))

/* ---- Lifetimes ---------------------------------------------------------- */

/* Classes of ages: the first below 2^LIFE_FIRST_SHIFT ns (a quarter of a
 * second), each of the others twice as wide as what is below it, the last
 * without end (some 5 minutes and more). */
#define LIFE_CLASSES	 12
#define LIFE_FIRST_SHIFT 28

/*
 * Map `stack_lives`, indexed by stack id: what observation windows have seen of
 * the lives of blocks that were born before them, estimated bytes by age.
 */
struct stack_lives {
	__u64 deaths[LIFE_CLASSES];  /* freed in windows, since attach */
	__u64 at_risk[LIFE_CLASSES]; /* alive, as far as is known, at the end
				      * of the last one: by `upkeep` */
	/* Whose address was handed out again: they had died unseen. Bytes. */
	__u64 gone;
};

static inline __u32 life_class(__u64 age_ns)
{
	__u32 i;

	age_ns >>= LIFE_FIRST_SHIFT;
	for (i = 0; i < LIFE_CLASSES - 1 && age_ns; i++)
		age_ns >>= 1;
	return i;
}

/* ---- Sampling ---------------------------------------------------------- */

struct sampling {
	__u64 interval_bytes; /* mean bytes between samples; 0: every block */
	__u32 variance_shift;
	__u32 reserved;
};

#define WEIGH_SHARED 0xffffffffU

/* Argument of program `upkeep`, a pass over all outstanding blocks. */
struct upkeep_pass {
	__u64 interval; /* thin: the new interval, bytes */
	__u32 purge;	/* the blocks of processes in map `purged`; 0: thin */
	/* weigh: this process's blocks born between these times stand for
	 * more, as they were looked at with a probability of share / 2^32.
	 * Older ones are counted (struct stack_lives). */
	__u32 weigh_tgid; /* or WEIGH_SHARED: all that have shared probes */
	__u32 share;
	__u32 reserved;
	__u64 born_from_ns, born_to_ns;
	__u64 removed; /* out */
};

/* ---- Pages (bpf/pages.h) ----------------------------------------------- */

#define GROWTH_PAGE_BYTES 4096ULL
#define GONE_PAGES_MAX	  4096

/* Argument of program `pages_gone`: the first `count` addresses of map
 * `gone_pages` are not held any more. */
struct gone_pages_pass {
	__u32 owner;
	__u32 count;
	__u64 before_ns; /* ... unless touched later than that */
	__u64 removed;	 /* out */
};

/* ---- Unwind tables ------------------------------------------------------ */

/*
 * Row i holds for addresses [row[i].pc, row[i+1].pc), link-time addresses
 * relative to the object's lowest executable address (object_text_base).
 * How `rule` is packed: unwind_rule.h.
 */
struct unwind_row {
	__u32 pc;
	__u32 rule;
};

/* Rules that do not fit 32 bits, map `unwind_rules`, shared by all objects. */
struct unwind_rule_ext {
	__s32 cfa_offset;   /* CFA = reg + cfa_offset, or ...            */
	__s32 deref_offset; /* ... = *(reg + cfa_offset) + deref_offset  */
	__s32 fp_offset;    /* place of the caller's frame pointer */
	__u8 cfa_register;  /* enum unwind_register */
	__u8 deref;	    /* bool */
	__u8 fp_saved;	    /* enum unwind_fp_saved: base of fp_offset */
	__u8 plt_threshold; /* != 0: CFA += 8 when (pc & 15) >= this */
};

/*
 * Executable ranges of one process, sorted by start: inner maps of
 * `process_ranges`. Element 0 is a header: rows = number of ranges.
 */
struct exec_range {
	__u64 start; /* run-time addresses, end exclusive */
	__u64 end;
	__u64 bias;	 /* link-time address = run-time address - bias */
	__u64 text_base; /* link-time address that row.pc 0 stands for */
	__u32 object;
	__u32 rows; /* rows in unwind_objects[object]; 0: no CFI */
};

/* ---- Targets and probes ------------------------------------------------- */

/* Map `targets`: tgid -> how to treat it. */
struct target {
	__u32 owner; /* tgid the blocks are booked to (differs for CLONE_VM) */
	__u32 map_epoch; /* changes whenever process_ranges does */
	/* Throwing allocation functions are not return-probed for requests of
	 * at least this size: a C++ exception must not cross a return probe. */
	__u64 throwing_size_limit;
	/* Where it keeps the mean bytes between the samples it draws itself
	 * (Go's runtime.MemProfileRate); 0: not known. */
	__u64 rate_address;
	__u32 fork_raised; /* one EVENT_FORKED until the loader clears it */
	__u32 pages;	   /* bool: count the pages it touches */
	/* Of its allocations, the share that probes were there to see lately,
	 * times 2^32; 0: all of them. */
	__u32 observed_share;
	__u32 births_unseen; /* bool: for now only frees are probed, and what
			      * frees a block and allocates another */
	__u32 large_blocks;  /* bool: those that are a mapping of their own are
			      * booked when they are mapped */
	__u32 meter;	     /* of its hits on shared probes */
	__u64 window_ns;     /* when its window began; 0: none is open */
	/* Its shared probes that count (PROBE_SHARED), a bit for each of them;
	 * 0: none. */
	__u64 shared;
	/* Probes on V8's allocations rest in between (budget/rests.h): which
	 * turn this is, and so many times what a sample stands for, times
	 * 256; 0: they never rest. */
	__u32 v8_turn;
	__u32 v8_scale_q8;
};

#define TARGET_SLOTS 1024
struct target_slot {
	__u32 tgid; /* 0: free */
	__u32 reserved;
	struct target target;
};

/* What a probed function does, as far as the BPF programs care. */
enum alloc_kind {
	ALLOC_SIZE = 1,	       /* p = f(size, ...) */
	ALLOC_COUNT_SIZE,      /* p = calloc(n, size) */
	ALLOC_ALIGN_SIZE,      /* p = f(alignment or heap, size, ...) */
	ALLOC_OUT_ALIGN_SIZE,  /* err = posix_memalign(&p, alignment, size) */
	ALLOC_REALLOC,	       /* p = realloc(old, size) */
	ALLOC_REALLOC_COUNT,   /* p = reallocarray(old, n, size) */
	ALLOC_HEAP_COUNT_SIZE, /* p = mi_heap_calloc(heap, n, size) */
	ALLOC_HEAP_REALLOC,    /* p = mi_heap_realloc(heap, old, size) */
	FREE_POINTER,	       /* f(p, ...) */
	MAP_MMAP,	       /* p = mmap(addr, length, ...) */
	MAP_MUNMAP,	       /* err = munmap(addr, length) */
	MAP_MREMAP,   /* p = mremap(old, oldlen, newlen, flags, addr) */
	LOADER_STATE, /* _dl_debug_state(): objects came or went */
	/* V8's heap (bpf/v8_heap.h), in the order of enum v8_point. */
	V8_ALLOCATE,	    /* f(space, object, end, size) */
	V8_ACCOUNT,	    /* f(space) */
	V8_REFILL_LOCK,	    /* f(lock of the space), its old area is there */
	V8_REFILLED,	    /* f(lock of the space), its new area is there */
	V8_RESET_LAB,	    /* f(allocator, start, ...) */
	V8_LARGE_PAGE,	    /* f(space, page, size) */
	V8_SCAVENGED,	    /* f(collector) */
	V8_MARKED,	    /* f(collector) */
	V8_EVACUATED,	    /* f(heap, ...) */
	V8_GC_BEGIN,	    /* f(heap) */
	V8_GC_END,	    /* f(heap, kind of collection) */
	V8_SIZE_OF_OBJECTS, /* bytes = f(heap) */
	V8_TEAR_DOWN,	    /* f(heap) */
	/* Go's own heap sampler (bpf/go_heap.h): Go's calling convention. */
	GO_MALLOC,	 /* f([m,] p, size, ...) */
	GO_FREE_SPECIAL, /* f(special, p, size) */
	GO_FREE,	 /* f(bucket, size), by the one before */
	GO_GC_BEGIN,	 /* f(...): marking begins */
	GO_GC_END,	 /* f(...): marking is done, sweeping begins */
	/* USDT probes of a sampler in the target (bpf/usdt.h). */
	USDT_ALLOC,
	USDT_FREE,
};
#define V8_ALLOCATES(kind) ((kind) >= V8_ALLOCATE && (kind) <= V8_LARGE_PAGE)

#define PROBE_THROWS	 1u /* may leave by a C++ exception */
#define PROBE_TAIL_CALLS 2u /* may jump to another probed function */
#define PROBE_STEPPED	 4u /* on an instruction that is single-stepped */
#define PROBE_SHARED	 8u /* of all processes that map the file */

/*
 * The BPF cookie of a probe:
 *   bits  7..0  enum alloc_kind
 *   bits 15..8  PROBE_* flags
 *   bits 31..16 bytes pushed between function entry and the probed
 *               instruction: stack pointer at entry = sp + this
 *   bits 47..32 site index (per-site hit counters)
 *   bits 63..48 meter of the process (what its hits cost); of PROBE_SHARED
 *               its bit in struct target
 */
#define PROBE_COOKIE(kind, flags, depth, site)                                 \
	((__u64)(kind) | (__u64)(flags) << 8 | (__u64)(depth) << 16 |          \
	 (__u64)(site) << 32)
#define PROBE_COOKIE_KIND(c)  ((__u32)(c)&0xff)
#define PROBE_COOKIE_FLAGS(c) ((__u32)(c) >> 8 & 0xff)
#define PROBE_COOKIE_DEPTH(c) ((__u32)(c) >> 16)
#define PROBE_COOKIE_SITE(c)  ((__u32)((c) >> 32) & 0xffff)
#define PROBE_COOKIE_METER(c) ((__u32)((c) >> 48))
#define PROBE_COOKIE_METERED(c, meter)                                         \
	(((c)&0xffffffffffffULL) | (__u64)(meter) << 48)
#define PROBE_SITES_MAX 4096
/* Bits in struct target. */
#define PROBES_SHARED_MAX 64

/* Meters: what the hits of a process cost, in hits of emulated probes. Meter 0
 * is for those that got none of their own. */
#define METERS_MAX 1024
enum meter_kind {
	METER_ALLOC,
	METER_FREE,
	METER_MAPS, /* with the samples taken there */
	METER_V8,   /* V8's allocations, with the samples taken there */
	METER_OTHER,
	METER_KINDS
};

/* ---- Large blocks (bpf/large_blocks.h) ---------------------------------- */

/* What the C library maps for a block alone is at least that large, unless the
 * program says otherwise (glibc: M_MMAP_THRESHOLD). */
#define LARGE_BLOCK_BYTES (128ULL << 10)

/* Where an allocation function is probed, as frames. */
struct alloc_site {
	__u64 function, probe;
};
#define ALLOC_SITES_MAX 256

/* ---- USDT probes: map `usdt_specs`, by site ------------------------------ */

enum usdt_kind { USDT_IS_CONSTANT, USDT_IS_REGISTER, USDT_IS_MEMORY };
#define USDT_NO_OFFSET 0xffff

/* Where an argument is: a constant, registers, or memory there. */
struct usdt_operand {
	__s64 value;	   /* constant or displacement */
	__u16 base, index; /* offsets in struct pt_regs, or USDT_NO_OFFSET */
	__u8 kind;	   /* enum usdt_kind */
	__u8 scale;
	__u8 is_signed;
	__u8 unused_bits; /* 64 - the argument's */
};

#define USDT_SPEC_OPERANDS 3
struct usdt_spec {
	struct usdt_operand operands[USDT_SPEC_OPERANDS];
};
#define USDT_SPECS_MAX 1024

/* ---- Counters: map `counters` (per CPU), one slot each ------------------ */

/* Work done. The first two are summed from the sites' hits by the loader;
 * PAGES_MISSED is the kernel's own count. */
#define COUNTERS_WORK(X)                                                       \
	X(ALLOC_HITS, "allocation probe hits")                                 \
	X(RETURN_HITS, "return probe hits")                                    \
	X(FREE_HITS, "free probe hits")                                        \
	X(SAMPLES, "sampled allocations")                                      \
	X(SAMPLE_NS, "ns spent on samples")                                    \
	X(UNWIND_FRAMES, "frames unwound")                                     \
	X(UNWIND_NS, "ns spent unwinding")                                     \
	X(FREED, "sampled blocks freed")                                       \
	X(NESTED, "nested allocator calls, counted once")                      \
	X(FAILED, "failed allocations")                                        \
	X(THINNED, "samples dropped to sample more coarsely (unbiased)")       \
	X(V8_SAMPLES, "sampled objects on V8's heap")                          \
	X(PAGES, "pages touched for the first time")                           \
	X(PAGE_NS, "ns spent on sampled pages")                                \
	X(CUT, "calls in progress when an observation window ended")           \
	X(FREED_UNSEEN, "blocks freed between observation windows, replaced")  \
	X(BYSTANDERS, "hits of shared probes by processes not traced")

/* Anything that makes the report less than complete. Printed when not 0. */
#define COUNTERS_LOSS(X)                                                       \
	X(LOST_SCRATCH, "samples lost: no scratch space (preempted)")          \
	X(LOST_PENDING, "samples lost: thread table full")                     \
	X(LOST_ABANDONED, "samples lost: call never returned")                 \
	X(LOST_TABLE_FULL, "samples lost: outstanding table full")             \
	X(LOST_STACKS, "samples booked to [other stacks]: stack table full")   \
	X(LOST_EVENTS, "events lost: ring buffer full")                        \
	X(LOST_JS_FRAMES, "JavaScript frames lost, or read late: too many")    \
	X(MISSED_FREE, "blocks whose free was not seen, replaced")             \
	X(DECLINED_THROW, "allocations skipped: could throw through a probe")  \
	X(NOT_A_TARGET, "hits by a process that is no target")                 \
	X(V8_LOST_TABLE, "V8 heap samples lost: table full")                   \
	X(V8_LOST_TRACK, "V8 heap samples lost: memory not readable in a GC")  \
	X(V8_LOST_HEAPS, "V8 allocations not sampled: too many isolates")      \
	X(PAGES_MISSED, "page faults missed: the programs were busy")          \
	X(LOST_ARGUMENTS, "samples lost: arguments of a probe not readable")

enum counter {
#define X(id, text) COUNTER_##id,
	COUNTERS_WORK(X) COUNTERS_LOSS(X)
#undef X
	/* Walks by how they ended: COUNTER_STACK_END + enum stack_end. */
	COUNTER_STACK_END,
	COUNTER_COUNT = COUNTER_STACK_END + STACK_END_COUNT
};

/* ---- Events: ring buffer `events` --------------------------------------- */

enum event_type {
	EVENT_MAPS_CHANGED = 1, /* rescan the maps of `tgid` */
	EVENT_EXEC,		/* `tgid` has a new image */
	EVENT_SHARES_MEMORY,	/* `value` (tgid) shares `tgid`'s memory */
	EVENT_FORKED,	      /* `tgid` has a child with a copy of its memory */
	EVENT_TABLE_PRESSURE, /* outstanding table nearly full */
	EVENT_MAP,	      /* struct map_event */
	EVENT_JS_FRAME,	      /* struct js_frame_event */
	EVENT_V8_FULL_GC,     /* of heap `value`, see map `v8_heaps` */
	EVENT_V8_HEAP_GONE,   /* `value` was torn down */
	EVENT_GO_GC_BEGIN,    /* at `value` (CLOCK_MONOTONIC, ns) */
	EVENT_GO_GC_END,
	EVENT_STARTED, /* a process, no target, was forked or called exec */
};

/* Of processes that are no targets, at most so many between two looks. */
#define STARTS_AT_ONCE 512

struct event {
	__u32 type;
	__u32 tgid;
	__u64 value;
};

enum map_operation {
	MAP_OP_MAP = 1,	     /* [address, +length) mapped */
	MAP_OP_UNMAP,	     /* about to be unmapped (sent at entry) */
	MAP_OP_UNMAP_FAILED, /* ... but the call failed: it is still there */
	MAP_OP_REMAP, /* [old_address, +old_length) -> [address, +length) */
};

struct map_event {
	struct event header;
	__u32 operation; /* enum map_operation */
	__u32 stack;
	__u32 tid;
	__u32 reserved;
	__u64 address;
	__u64 length;
	__u64 old_address;
	__u64 old_length;
	__u64 time_ns;
};

#endif
