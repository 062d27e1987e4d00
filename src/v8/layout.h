/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which V8 an object holds, where it keeps things, and where to probe it.
 *
 * Offsets come from the v8dbg_* constants in the object where it has them, else
 * from the table of known versions in layout_table.c, one row per major.minor.
 * How to add a version: docs/v8.md.
 */
#ifndef V8_LAYOUT_H
#define V8_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "v8/memory.h"

struct v8_version {
	uint32_t major, minor, build, patch;
};

/* Places to probe, link-time addresses of functions; 0: not there. */
enum v8_point {
	V8_POINT_ALLOCATE, /* SpaceWithLinearArea::ComputeLimit (10, 11) */
	V8_POINT_ACCOUNT,  /* SpaceWithLinearArea::AdvanceAllocationObservers
			      (10, 11) */
	/* Instead of these two, where refill_site.h finds them. */
	V8_POINT_NEW_AREA,    /* the new space's EnsureAllocation */
	V8_POINT_NEW_LIMIT,   /* in there, or in what it calls */
	V8_POINT_REFILL_LOCK, /* in TryAllocationFromFreeListMain */
	V8_POINT_REFILLED,    /* in there, later */
	V8_POINT_RESET_LAB,   /* MainAllocator::ResetLab (12, 13) */
	V8_POINT_LARGE_PAGE,  /* LargeObjectSpace::AddPage */
	V8_POINT_SCAVENGED, /* ScavengerCollector::HandleSurvivingNewLargeObjects
			     */
	V8_POINT_MARKED,    /* MarkCompactCollector::ClearNonLiveReferences */
	V8_POINT_EVACUATED, /* Heap::ProcessWeakListRoots */
	V8_POINT_GC_BEGIN,  /* Heap::GarbageCollectionPrologueInSafepoint */
	V8_POINT_GC_END,    /* Heap::GarbageCollectionEpilogueInSafepoint */
	V8_POINT_SIZE_OF_OBJECTS, /* Heap::SizeOfObjects, its return */
	V8_POINT_TEAR_DOWN,	  /* Heap::TearDown */
	V8_POINTS
};

enum v8_support {
	V8_ABSENT,	/* no V8 in this object */
	V8_UNKNOWN,	/* a version we do not know: native part only */
	V8_UNSUPPORTED, /* pointer compression, sandbox */
	V8_FRAMES,	/* JavaScript frames, but no heap (stripped ...) */
	V8_FRAMES_AND_HEAP,
};

/* v8dbg_type_JSMap__JS_MAP_TYPE: "JSMap" */
#define V8_TYPES_MAX 512
struct v8_type {
	uint16_t type;
	char name[38]; /* longer ones are cut */
};

#define V8_API_CALLS 4

struct v8_engine {
	enum v8_support support;
	/* Why it is not V8_FRAMES_AND_HEAP, for people. "" when it is. */
	char reason[160];
	struct v8_version version;
	struct v8_layout layout; /* dispatch_table: not yet known, 0 */
	uint64_t points[V8_POINTS];
	uint64_t points_size[V8_POINTS]; /* bytes; 0: unknown */
	/* Where in the function to probe (lab_site.h, refill_site.h); 0: its
	 * entry. */
	uint32_t points_inside[V8_POINTS];
	/* Link-time addresses; 0: not there. */
	uint64_t default_isolate_group;	       /* of the pointer, V8 >= 13 */
	uint64_t builtins_start, builtins_end; /* embedded builtins */
	/* Bytecodes::kBytecodeSizes, three rows (operand scales) of a byte per
	 * bytecode; its size is the symbol's. */
	uint64_t bytecode_sizes;
	uint32_t bytecode_sizes_bytes;
	/* Runtime_AllocateInYoung- and -OldGeneration: the slow path of
	 * allocation in optimised code. */
	uint64_t allocate[2], allocate_size[2];
	/* MemoryAllocator::AllocatePage, AllocateLargePage: maps the heap. */
	uint64_t allocate_page[2], allocate_page_size[2];
	/* What calls C++ from interpreted functions of V8 10 and 11, and not
	 * from compiled ones: Builtin_HandleApiCall and what it goes through.
	 */
	uint64_t api_call[V8_API_CALLS], api_call_size[V8_API_CALLS];
	/* Heap -> external_memory_.total_, bytes of Buffers and whatever else
	 * the embedder has told V8 of; negative: not known. */
	int32_t heap_external;
	/* IsolateGroup -> entries of the dispatch table, V8 >= 13. */
	uint32_t isolate_group_dispatch_table;
	/* v8dbg_type_*: what instance types are called, ordered by type. */
	uint32_t type_count;
	struct v8_type types[V8_TYPES_MAX];
};

/* 0 (see `support`), or -errno when the object cannot be read. Costs a pass
 * over the symbol tables of objects that have v8dbg symbols, hardly anything
 * of others. */
int v8_engine_find(const struct object *o, struct v8_engine *out);

/* The engine's layout as it holds in one process, where the object is mapped
 * `bias` bytes above its link-time addresses: fills in `dispatch_table`. 0,
 * -EAGAIN when V8 is not initialised yet, or -EFAULT. Its request budget is
 * the caller's (v8_memory_begin). */
int v8_engine_bind(const struct v8_engine *engine, struct v8_memory *memory,
		   uint64_t bias, struct v8_layout *out);

/* Whether the link-time address lies in the slow path of allocation. */
bool v8_engine_allocates(const struct v8_engine *engine, uint64_t address);

/* Whether it lies in what maps pages of the heap. */
bool v8_engine_maps_heap(const struct v8_engine *engine, uint64_t address);

/* "V8 12.4.254.21", "V8 13.6" when build and patch are not known. */
const char *v8_version_text(const struct v8_version *version, char *text,
			    size_t size);

#endif
