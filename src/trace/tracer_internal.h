/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of src/trace share. Nothing outside includes this. */
#ifndef TRACE_TRACER_INTERNAL_H
#define TRACE_TRACER_INTERNAL_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace/tracer.h"

#include "base/clock.h"
#include "base/diag.h"
#include "bpf/trace.skel.h"
#include "probe/catalogue.h"
#include "probe/link.h"
#include "trace/allocators.h"
#include "trace/closer.h"
#include "trace/cohorts.h"
#include "trace/go_heap.h"
#include "trace/js_frames.h"
#include "trace/late_programs.h"
#include "trace/range_maps.h"
#include "trace/regions.h"
#include "target/maps.h"
#include "trace/memory_plan.h"
#include "trace/pages.h"
#include "trace/probe_sets.h"
#include "trace/sharing.h"
#include "trace/sites.h"
#include "trace/unwind_store.h"
#include "trace/v8.h"
#include "trace/v8_heap.h"
#include "trace/refine.h"
#include "trace/unseen_growth.h"
#include "trace/windows.h"

/* An executable mapping of a tracee and the object behind it. */
struct tracee_range {
	uint64_t start, end, file_offset;
	dev_t device;
	ino_t inode;
	const struct object *object; /* NULL: anonymous (JIT) or unreadable */
};

struct tracee {
	struct process
		*process; /* the caller's; NULL: shares memory of owner */
	pid_t pid;
	pid_t owner; /* whose memory it is: pid, or the parent's */
	bool alive;
	bool rescan;	   /* its maps may have changed */
	bool waits;	   /* for its ranges to be published */
	bool new_image;	   /* it has called exec: nothing of before is valid */
	bool forked;	   /* children hold copies of its breakpoints */
	bool quiet;	   /* one of many: what goes wrong is no error */
	uint64_t image_ns; /* since when it runs this program, or is attached */
	uint64_t rescanned_ns;
	uint32_t map_epoch;
	struct tracee_range *ranges;
	size_t range_count;
	struct probe_sets probes;
	const struct object **probed; /* objects that have been looked at */
	size_t probed_count;
	struct site_uses sites;
	/* As the programs know it (struct target). */
	uint32_t observed_share;
	bool births_unseen;
	bool large_blocks; /* large_blocks.h */
	bool large_blocks_refused, large_blocks_dropped;
	uint64_t shared; /* parts (sharing.h), a bit each */
	uint64_t throwing_size_limit;
	uint32_t meter; /* of its hits; 0: none of its own */
	struct window window;
	bool has_allocator;
	bool pages;	   /* followed by the pages it holds: without probes */
	bool pages_beside; /* ... beside windows (unseen_growth.h) */
	struct unseen_growth unseen;
	bool gave_up;	   /* waiting for it to load an allocator */
	char refusal[320]; /* why it may not be probed; "": it may */
	bool own_sampler;  /* usdt.h: the allocator is left alone */
	struct v8_tracee v8;
	struct v8_heap_tracking v8_heap;
	struct go_tracking go;
};

/* A clone that shares a tracee's memory, to be adopted if it still does. */
#define ADOPTIONS_MAX 64
struct adoption {
	pid_t owner, child;
	uint64_t due_ns;
};

struct tracer {
	struct tracer_options options;
	struct kernel_features features;
	enum link_kind link;
	struct memory_plan plan;
	struct object_registry *objects;
	uint64_t objects_lost; /* mappings of more than there is room for */
	struct trace_bpf *skel;
	struct ring_buffer *events;
	struct unwind_store *unwind;
	struct range_maps range_maps;
	int epoll_fd;

	struct tracee **tracees;
	size_t tracee_count;
	struct sites sites;
	struct allocators allocators;

	/* Maps of the BPF object, shared with it. */
	struct stack_frames *stack_frames;
	struct stack_stats *stack_stats;
	struct stack_lives *stack_lives;

	struct cohorts cohorts;
	struct regions *regions; /* NULL without --mmap */
	struct pages pages;
	struct v8_engines v8_engines;
	struct js_frames js_frames;
	uint64_t *retired_ns; /* per stack id: unlinked, resting */
	uint32_t stacks_used;
	uint32_t coarsened;
	uint64_t last_tick_ns;
	struct refine refine;
	uint32_t next_epoch; /* unique: it keys the address cache */
	struct adoption adoptions[ADOPTIONS_MAX];
	size_t adoption_count;
	bool forked; /* some tracee has */
	struct closer closer;
	bool closing;	     /* all probes are about to be taken out */
	size_t publish_next; /* tracee */
	uint64_t swept_ns;
	bool pressure; /* the table of outstanding blocks is nearly full */
	bool changed;  /* a target exited or changed its image */

	/* Maps of the BPF object, shared with it; NULL without V8. */
	struct v8_sample *v8_young, *v8_old;
	/* As of the last reading: what is held; and what is old, and no full
	 * collection has looked at yet. */
	struct v8_survivors v8_survivors, v8_promoted;
	struct v8_trends v8_trends;

	struct windows windows;
	struct sharing sharing;
	struct late_programs late;
};

/* load.c: opens, sizes, loads and maps the BPF object. */
int tracer_load(struct tracer *t);
void tracer_unload(struct tracer *t);
/* A BPF_F_MMAPABLE array, readable and writable; NULL: cannot be mapped. */
void *tracer_map_shared(struct bpf_map *m, size_t value_size);

/* mappings.c: reads the executable mappings, opens new objects, compiles
 * their tables, publishes the ranges. 1: objects were added, 0: none. */
int tracee_scan(struct tracer *t, struct tracee *e);
/* Where an object is mapped: run-time minus link-time address. False: it is
 * not. */
bool tracee_bias(const struct tracee *e, const struct object *o,
		 uint64_t *bias);

/* read.c: sum over processors of one element of a per-CPU array of u64. */
#define TRACER_CPUS_MAX 256
uint64_t tracer_percpu_sum(const struct bpf_map *m, uint32_t index);
/* Estimated CPU time that probes have cost so far. */
uint64_t tracer_overhead_ns(const struct tracer *t);

/* tracees.c */
struct tracee *tracee_find(struct tracer *t, pid_t pid);
/* NULL: too many, or no memory. */
struct tracee *tracee_new(struct tracer *t, pid_t pid, pid_t owner);
/* Tells the BPF programs how to treat it. */
void tracee_publish_target(struct tracer *t, struct tracee *e);
/* Looks how large a request may be that does not fail: in several files. */
void tracee_refresh_limit(struct tracee *e);
/* Forgets its probes, which have been closed. */
void tracee_forget_probes(struct tracer *t, struct tracee *e);
/* Where what goes wrong with it is told. */
enum diag_level tracee_level(const struct tracee *e);
/* Stops tracing it; its figures stay. */
void tracee_drop(struct tracer *t, struct tracee *e);
/* The same, and frees it. */
void tracee_remove(struct tracer *t, struct tracee *e);

/* attach.c: sets probes in objects that have none yet in this tracee. */
int tracee_probe_objects(struct tracer *t, struct tracee *e);
/* The same for mmap, munmap and mremap, in one object. */
int tracee_probe_maps(struct tracer *t, struct tracee *e,
		      const struct object *o);
/* Sets whatever it takes to follow a process whose mappings are known: 0 or
 * -errno, told. */
int tracee_start(struct tracer *t, struct tracee *e);
/* True: its program must not be probed; e->refusal says why. */
bool tracee_refused(const struct tracer *t, struct tracee *e);
/* Probes cannot be set, for e->refusal: follows its pages, or reports. 0, `err`
 * or what that gave. */
int tracee_follow_instead(struct tracer *t, struct tracee *e, int err);
/* Whether `f` may be probed. A C++ exception that passes a return probe ends in
 * std::terminate; only a session's entry can decline the return for requests
 * that may fail. */
bool tracer_may_probe(const struct tracer *t, const struct alloc_function *f);
/* The program and link kind at the entry of such a function. */
struct bpf_program *site_program(struct tracer *t, uint32_t kind,
				 enum link_kind *link);

/* children.c: processes that targets fork. */
/* A process that shares the memory of `owner` was cloned. */
void children_note_clone(struct tracer *t, pid_t owner, pid_t child);
/* Adopts what still shares memory, frees forks of their breakpoints. */
void children_follow(struct tracer *t, uint64_t now_ns);

/* events.c */
int tracer_handle_event(void *context, void *data, size_t size);

/* read.c: a counter's sum over all processors. */
uint64_t tracer_counter(const struct tracer *t, enum counter counter);

/* blocks.c: passes over the table of outstanding blocks. */
/* Doubles the sampling interval, and thins the table to match. 0 or -errno. */
int tracer_coarsen(struct tracer *t);
/* Samples more coarsely until there is room again. */
void tracer_relieve_pressure(struct tracer *t);
/* Books all blocks of processes as freed: their memory is gone. */
void tracer_purge(struct tracer *t, const pid_t *tgids, size_t count);
/* One pass. 0 or -errno. */
int tracer_upkeep(struct tracer *t, struct upkeep_pass *pass);

/* stack_ids.c: handing out and recycling stack ids. */
int stack_ids_init(struct tracer *t);
void stack_ids_recycle(struct tracer *t, uint64_t now_ns);
/* Gives up the empty stacks of processes that are gone: another process may
 * have such an id soon. */
void stack_ids_retire(struct tracer *t, const pid_t *tgids, size_t count);

#endif
