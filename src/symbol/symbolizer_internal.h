/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the symbolizer share. */
#ifndef SYMBOL_SYMBOLIZER_INTERNAL_H
#define SYMBOL_SYMBOLIZER_INTERNAL_H

#include <sys/types.h>
#include <time.h>

#include "leakbpf/abi_user.h"
#include "symbol/symbol_cache.h"
#include "symbol/symbolizer.h"
#include "symbol/target_root.h"
#include "symbol/worker_link.h"

#define TARGETS_MAX 64

struct traced {
	struct target_root root;
	off_t map_size; /* of the perf map when last read */
	struct timespec map_time;
};

struct symbolizer {
	struct object_registry *objects;
	struct symbol_cache *cache;
	struct worker_link link;
	bool no_dwarf;
	struct debuginfod *debuginfod; /* not owned; NULL: none */
	int debug_directory;	       /* -1: there is none */
	uint32_t given_up;
	uint32_t dropped;
	uint8_t strikes[OBJECTS_MAX];
	size_t target_count;
	size_t target_oldest;
	struct traced targets[TARGETS_MAX];
};

/* NULL: no object, or an id that no object can have. */
const struct object *symbolizer_object_of(const struct symbolizer *s,
					  uint64_t frame);
const char *symbolizer_base_name(const char *path);
/* The target's file system, opened when its pid is first seen. NULL: none. */
struct traced *symbolizer_target(struct symbolizer *s, pid_t pid);

/* "module+0x1234 [0a1b2c3d]": enough for addr2line and a debug server. NULL: no
 * memory. */
const struct symbol *symbolizer_put_fallback(struct symbolizer *s,
					     uint64_t frame, bool final);

/* Sorted frames in one object. `deadline_ns` moves by what files from servers
 * took. */
void symbolizer_resolve_object(struct symbolizer *s,
			       const struct traced *target,
			       const uint64_t *frames, size_t count,
			       uint64_t *deadline_ns);

/* Frames in no object: code made at run time, named by the perf map of the
 * target (NULL: there is none). */
void symbolizer_resolve_jit(struct symbolizer *s, struct traced *t,
			    const uint64_t *frames, size_t count);

#endif
