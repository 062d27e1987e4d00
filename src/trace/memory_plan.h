/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How the memory limit is shared out. Everything large is sized here, before
 * anything is loaded, so that the limit holds whatever the target does.
 */
#ifndef TRACE_MEMORY_PLAN_H
#define TRACE_MEMORY_PLAN_H

#include <stdint.h>

/* What the loader itself needs: code, symbols of the last report, buffers. */
#define MEMORY_LOADER_BYTES (12ULL << 20)
/* Below this nothing useful fits. */
#define MEMORY_MIN_BYTES (24ULL << 20)

struct memory_plan {
	uint32_t outstanding_max; /* blocks */
	uint32_t block_lines;	  /* of their table; power of two */
	uint32_t stacks;	  /* ids, reserved ones included */
	uint32_t threads;	  /* calls in progress */
	uint32_t targets;
	uint32_t js_frames;	    /* places in JavaScript */
	uint64_t unwind_rows_bytes; /* for all objects together */
	uint64_t regions;	    /* --mmap */
};

/* 0, or -E2BIG when `max_memory` is below MEMORY_MIN_BYTES. */
int memory_plan_make(struct memory_plan *plan, uint64_t max_memory);

#endif
