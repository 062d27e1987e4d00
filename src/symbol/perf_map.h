/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names of run-time generated code: "START SIZE name" lines that a JIT appends
 * to /tmp/perf-PID.map (kernel tools/perf/Documentation/jit-interface.txt).
 * The file belongs to the target. It is read as a stream, keeping only what
 * was asked for, so its size costs time, not memory.
 */
#ifndef SYMBOL_PERF_MAP_H
#define SYMBOL_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "symbol/target_root.h"

#define PERF_MAP_NAME_MAX 1024

struct perf_match {
	uint64_t address; /* in */
	uint64_t start;	  /* out */
	char *name;	  /* out: NULL none; malloc'ed */
};

struct perf_map_reader {
	struct perf_match *matches; /* sorted by address */
	size_t count;
	char line[PERF_MAP_NAME_MAX + 64];
	size_t line_size;     /* what does not fit is dropped */
	uint32_t names_taken; /* bounds the work a hostile map can cause */
};

/* Takes the next piece of the file. When code is replaced, the JIT appends
 * again: the last line that covers an address wins. */
void perf_map_feed(struct perf_map_reader *r, const char *bytes, size_t size);
void perf_map_finish(struct perf_map_reader *r);

/* Reads the whole file, up to 256 MiB. 0 or -errno. */
int perf_map_read(struct perf_map_reader *r, int fd);

/* Opens the target's map if it belongs to the target's user or root. A
 * descriptor or -errno. */
int perf_map_open(const struct target_root *target);

#endif
