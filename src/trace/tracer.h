/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The tracer owns everything in the kernel: it loads the BPF object, sizes its
 * maps, attaches targets (allocators found, sites planned, links made, unwind
 * tables built), follows what they do (dlopen, exec, exit), keeps the tables
 * from filling (coarser sampling, recycled stacks), and hands out the counters.
 *
 *     tracer_new -> tracer_attach... -> { tracer_poll, tracer_read }... -> free
 */
#ifndef TRACE_TRACER_H
#define TRACE_TRACER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "probe/features.h"
#include "probe/site.h"
#include "target/process.h"
#include "v8/heap_trend.h"
#include "v8/js_frame.h"

struct tracer;

/* A frame of JavaScript, and what it is: given out once, soon after it is first
 * seen. `location` has a level at least, and is gone after the call. */
typedef void (*tracer_js_frame_fn)(void *context, const struct js_frame *frame,
				   const struct js_location *location);

/* A target runs this V8; called at least once for each object that holds one.
 */
typedef void (*tracer_v8_fn)(void *context, const struct object *o,
			     const struct v8_engine *engine);

typedef void (*tracer_started_fn)(void *context, pid_t pid);

/* Whether targets are followed by the pages they hold (pages.h) instead of by
 * probes on allocation functions. */
enum growth_mode {
	GROWTH_IF_NEEDED, /* where probes cannot be set */
	GROWTH_ALWAYS,
	GROWTH_NEVER,
};

struct tracer_options {
	uint64_t sample_bytes; /* mean bytes between samples; 0: every block */
	bool sampling_fixed;   /* somebody wants just that */
	uint64_t min_size;     /* only blocks of at least this size, bytes */
	uint64_t max_size;     /* ... and at most this; 0: no limit */
	uint64_t max_memory;   /* kernel and loader together, bytes */
	bool memory_maps;      /* --mmap */
	enum growth_mode growth;
	/* Sampling is at least that coarse when there is nothing but pages. */
	uint64_t growth_sample_bytes;
	bool own_samplers; /* follow USDT samplers of targets */
	/* CPU time per time that probes may cost: of one target, of all. 0:
	 * without limit. */
	double max_overhead, max_overhead_total;
	bool v8;	       /* look for V8 in targets */
	uint32_t v8_survived;  /* full collections survived: held, not garbage
				*/
	tracer_v8_fn v8_found; /* these two may be NULL */
	tracer_js_frame_fn js_frame;
	/* A process has been forked or has called exec. NULL: nobody wants to
	 * know. */
	tracer_started_fn started;
	/* Whether a process is about to be attached, if it can be. NULL: none
	 * is. */
	bool (*selected)(void *context, pid_t pid);
	void *context;
	enum link_kind force_link; /* LINK_NONE: best */
};

/* -EPERM, -ENOTSUP (kernel lacks something), -ENOMEM, -E2BIG (max_memory too
 * small to work with); reported. */
int tracer_new(const struct tracer_options *options,
	       const struct kernel_features *features,
	       struct object_registry *objects, struct tracer **out);
/* Detaches everything and frees; well under a second. */
void tracer_free(struct tracer *t);

/* Attaches one process; keeps a reference to `process` until tracer_free.
 * -ESRCH gone, -EPERM; where its pages cannot be followed instead, -ENOENT no
 * allocator found, -ENOTSUP (Go without its sampler, or return probes would
 * kill it); reported. */
int tracer_attach(struct tracer *t, struct process *process);
/* The same for one of many, of which nothing is expected: not reported.
 * -ENOMEM, too, when there are as many as there is room for. */
int tracer_attach_quietly(struct tracer *t, struct process *process);
/* Between the two many are attached: what all of them have to wait for is
 * waited for once, at the end. Their allocations are not seen before. */
void tracer_attach_many(struct tracer *t);
void tracer_attach_done(struct tracer *t);
/* Stops tracing processes, if it has not ended by itself, and takes off the
 * books what they hold. Their `struct process` may go. */
void tracer_forget(struct tracer *t, const pid_t *pids, size_t count);
/* There will soon be no room for more stacks or blocks: what has ended should
 * be forgotten. */
bool tracer_room_scarce(const struct tracer *t);
/* Bytes of a process that have not been freed. */
uint64_t tracer_outstanding(const struct tracer *t, pid_t pid);
/* Whether it is being traced just now. */
bool tracer_traces(const struct tracer *t, pid_t pid);
/* Started processes (tracer_options.started) that were not told of. */
uint64_t tracer_starts_missed(const struct tracer *t);

/* A probe as it was placed, for --explain; one for all processes that share the
 * object. */
struct tracer_site {
	pid_t pid;		     /* the first of them */
	uint32_t processes;	     /* now; 0: none any more */
	const struct object *object; /* NULL: it has gone, and the site */
	const char *allocator;
	const char *function;
	uint64_t address; /* link-time address of the function */
	uint32_t kind;	  /* enum alloc_kind */
	struct probe_site site;
	enum link_kind link;
	bool return_probe;
	uint64_t hits;
};
/* Those of an object need not stand together. */
size_t tracer_site_count(const struct tracer *t);
void tracer_site(const struct tracer *t, size_t index, struct tracer_site *out);

/* Handles events and upkeep for up to `timeout_ms`; returns 1 when a target
 * exited or changed its image, 0 otherwise, -EINTR on a signal. */
int tracer_poll(struct tracer *t, int timeout_ms);
/* Handles what is waiting, and lets observation windows that are open come to
 * their ends, up to 2 s: then figures hold no blocks whose end is about to be
 * seen. Events are not told of. */
void tracer_settle(struct tracer *t);
/* Targets still alive. */
size_t tracer_alive(const struct tracer *t);

/*
 * How blocks are sampled that are allocated from now on: one per `interval`
 * bytes, 0: every block. Blocks on the books keep what they were sampled with,
 * so that estimates stay unbiased. Finer only as far as the outstanding blocks
 * will fit at that rate, and to a 64th of the interval at the start (below
 * that the variances lose their precision); else it stays as it is. Returns the
 * interval that holds now.
 */
#define TRACER_FINER_MAX 64
uint64_t tracer_set_sampling(struct tracer *t, uint64_t interval);

/* ---- Reading: O(stacks), safe while everything runs --------------------- */

/* What is read next is to be as of now, whatever it costs to find out which
 * pages are still held: for the last report. */
void tracer_check_pages(struct tracer *t);
/* Calls `each` for every stack in use; a consistent copy is passed. Memory
 * maps (--mmap) come as stacks of their own. */
typedef void (*tracer_stack_fn)(uint32_t id, const struct stack_frames *frames,
				const struct stack_stats *stats, void *context);
void tracer_each_stack(struct tracer *t, tracer_stack_fn each, void *context);
/* Sums over CPUs, COUNTER_COUNT entries. */
void tracer_counters(const struct tracer *t, uint64_t counters[COUNTER_COUNT]);
const struct cohort_layout *tracer_cohorts(const struct tracer *t);

/* ---- Objects, of which there is no room for more than a few thousand ------
 */

/* Notes by id which are mapped or probed. */
void tracer_objects_in_use(struct tracer *t, bool *in_use);
/* Every frame of every stack there is. */
void tracer_each_frame(const struct tracer *t,
		       void (*each)(uint64_t frame, void *context),
		       void *context);
/* There will soon be no room for more, or for their unwind tables. */
bool tracer_objects_scarce(const struct tracer *t);
/* One that is not in use, nor in any stack, is about to be released. */
void tracer_forget_object(struct tracer *t, const struct object *o);
/* Whatever JavaScript frames are seen from now on is told of anew
 * (tracer_options.js_frame). */
void tracer_retell_js_frames(struct tracer *t);

/* ---- V8's heap ------------------------------------------------------------
 */

/* The heap of an isolate. */
struct tracer_v8_heap {
	pid_t pid;
	uint64_t address;
	struct v8_heap state;
	/* After full collections; seconds are CLOCK_MONOTONIC. */
	struct heap_trend trend;
	/* Memory outside of the heap that objects on it hold (Buffers): the
	 * same, and now; negative: not known. */
	struct heap_trend external;
	double external_bytes;
	/* Of the time since attach, allocations were probed. */
	double sampled_share;
};
/* Writes up to `max`; how many there are written. */
size_t tracer_v8_heaps(struct tracer *t, struct tracer_v8_heap *out,
		       size_t max);
/* Why the heap of a target that runs V8 is not followed; NULL: it is, or there
 * is none. */
const char *tracer_v8_refused(const struct tracer *t, pid_t pid);

/* Bytes of some stacks together that are in V8's old space, but were not looked
 * at by a full collection yet; as of the last tracer_each_stack. */
double tracer_v8_promoted(const struct tracer *t, const uint32_t *stacks,
			  size_t count);

#define TRACER_V8_TYPES 4
struct tracer_v8_type {
	char name[64]; /* as the target gave it */
	double share;  /* of the stack's bytes */
};
/* What the live objects of some stacks are together, most bytes first; as of
 * the last tracer_each_stack. 0: not known. */
size_t tracer_v8_types(struct tracer *t, const uint32_t *stacks, size_t count,
		       struct tracer_v8_type out[TRACER_V8_TYPES]);

/* ---- Go's heap ------------------------------------------------------------
 */

struct tracer_go_heap {
	uint64_t collections; /* since attach */
	/* Of what was born before it is known whether it lives
	 * (CLOCK_MONOTONIC, ns); 0: of nothing yet. */
	uint64_t settled_ns;
	bool rate_known;
	uint64_t rate_bytes; /* between samples; 0: the sampler is off */
};
/* False: no Go program. */
bool tracer_go_heap(const struct tracer *t, pid_t pid,
		    struct tracer_go_heap *out);

struct tracer_status {
	struct sampling sampling; /* as it is now */
	uint64_t outstanding;	  /* entries in use */
	uint64_t outstanding_max;
	uint32_t stacks, stacks_max;
	uint64_t kernel_memory_bytes; /* maps and programs */
	uint32_t coarsened;	      /* times the sampling was made coarser */
	enum link_kind link;
	size_t own_samplers; /* targets that sample by USDT probes */
	/* Estimated CPU time the target spent in probes so far, ns. */
	uint64_t overhead_ns;
	/* Of the time targets were watched, how much was observed; 1: all. */
	double observed_share;
	uint64_t windows;    /* observation windows so far; 0: none needed */
	double max_overhead; /* as in tracer_options */
	/* Targets whose large blocks are seen outside of windows, too. */
	uint64_t large_blocks;
	/* Targets that are followed by the pages they hold beside windows. */
	uint64_t beside;
	uint32_t objects_without_cfi;
	uint32_t objects_unreadable;
	uint64_t objects_lost;	   /* mappings of those there was no room for */
	uint64_t unwind_rows_lost; /* there was no room for their rules */
	uint64_t regions_lost;	   /* --mmap: not followed for lack of room */
	uint64_t js_shortfalls[JS_SHORTFALLS]; /* JavaScript frames by what they
						  lack */
	size_t page_targets; /* alive, and followed by the pages they hold */
	uint64_t js_dropped; /* ... that were too many: read late, or never */
	uint64_t js_incomplete; /* ... without class or source for that reason
				 */
};
void tracer_status(const struct tracer *t, struct tracer_status *out);

#endif
