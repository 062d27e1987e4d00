/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a Go program's runtime tells of its heap. Go samples its allocations
 * itself, for runtime.MemProfile (src/runtime/mprof.go): one in
 * runtime.MemProfileRate bytes on average, exponentially distributed, calls
 * mProf_Malloc; and the sweeper calls freeSpecial and mProf_Free when a sampled
 * object has died. Probes at the entries of these see exactly what Go's own
 * heap profile is made of. (Return probes are out of the question: Go moves
 * stacks, and would find the kernel's return addresses on them.)
 */
#ifndef PROBE_GO_RUNTIME_H
#define PROBE_GO_RUNTIME_H

#include <stdbool.h>
#include <stdint.h>

#include "object/object.h"

enum go_point {
	GO_POINT_MALLOC,       /* runtime.mProf_Malloc */
	GO_POINT_FREE_SPECIAL, /* runtime.freeSpecial */
	GO_POINT_FREE,	       /* runtime.mProf_Free */
	GO_POINT_GC_BEGIN,     /* runtime.(*gcControllerState).startCycle */
	GO_POINT_GC_END,       /* runtime.gcMarkTermination */
	GO_POINT_COUNT,
};

#define GO_ROOTS 2

/* Link-time addresses. */
struct go_runtime {
	struct go_runtime_function {
		const char *name;
		uint64_t address, size;
		/* Where in it a probe is cheap: behind the check of the
		 * stack's size; 0: at its entry, single-stepped. */
		uint32_t cheap_offset;
	} points[GO_POINT_COUNT];
	/* Outermost functions of goroutines and threads; 0: not found. */
	struct go_runtime_function roots[GO_ROOTS];
	uint64_t rate_address; /* runtime.MemProfileRate; 0: not found */
	/* runtime.MemProfile is linked in; else the linker has turned the
	 * sampler off for good (disableMemoryProfiling). */
	bool profiled;
};

/*
 * 0, or -ENOENT (*reason says what is missing, static text), or -errno of
 * reading. Of a stripped program, too: by the runtime's table of functions.
 */
int go_runtime_find(const struct object *o, struct go_runtime *out,
		    const char **reason);

/* For tests: offset of the jump behind the check for stack space that Go
 * functions begin with; 0: `code` does not begin so. */
uint32_t go_runtime_cheap_offset(const uint8_t *code, uint64_t size);

#endif
