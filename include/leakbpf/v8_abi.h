/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What the BPF programs and user space share about V8: where one version of it
 * keeps things, JavaScript frames as they were captured, and heap samples.
 * Included after abi.h.
 *
 * Offsets are in bytes from the start of an object, that is from its untagged
 * address (a tagged pointer minus V8_TAG). Offsets in frames are from the frame
 * pointer and negative. Where each comes from: src/v8/layout.h.
 */
#ifndef LEAKBPF_V8_ABI_H
#define LEAKBPF_V8_ABI_H

/* Strong heap object pointers end in 01, Smis in 0 (31 or 32 bits in the upper
 * half of the word: no pointer compression). */
#define V8_TAG			1ULL
#define V8_TAG_MASK		3ULL
#define V8_SMI_SHIFT		32
#define V8_PAGE_BYTES		(256ULL * 1024)
#define V8_PAGE_FROM		(1ULL << 3) /* page flag: being scavenged */
#define V8_PAGE_TO		(1ULL << 4) /* page flag: young, survivors go here */
#define V8_CELL_BYTES		8	    /* heap bytes per mark bit */
#define V8_DISPATCH_SHIFT	8	    /* JSDispatchHandle: index << 8 */
#define V8_DISPATCH_ENTRY_BYTES 16

struct v8_layout {
	/* Address of the dispatch table's entries (leaptiering, V8 >= 13), 0:
	 * functions point to their code. */
	__u64 dispatch_table;

	/* Frames of JavaScript functions, from the frame pointer. */
	__s16 frame_context;
	__s16 frame_function;
	__s16 frame_bytecode_array;
	__s16 frame_bytecode_offset;

	/* Instance types. */
	__u16 type_map;
	__u16 type_js_function_first;
	__u16 type_js_function_last;
	__u16 type_shared_function_info;
	__u16 type_code;
	__u16 type_bytecode_array;
	__u16 type_script;
	__u16 type_scope_info;
	__u16 type_first_nonstring;
	__u16 type_context_first;
	__u16 type_context_last;
	__u16 type_fixed_array;

	__u16 map_instance_type;
	__u16 map_constructor; /* constructor_or_back_pointer */

	__u16 map_prototype;
	__u16 object_properties;

	__u16 function_shared;
	__u16 function_prototype; /* prototype, or initial map, whose it is */
	__u16 function_code;	  /* 0: has a dispatch handle */
	__u16 function_dispatch_handle; /* u32; 0: points to its code */

	__u16 shared_name_or_scope_info;
	__u16 shared_script;
	__u16 shared_function_data; /* bytecode, or code that has it; 0:
				       likewise */
	/* int32, unique within a script and, unlike addresses, for good. */
	__u16 shared_function_literal_id;

	__u16 script_source;
	__u16 script_name;
	__u16 script_line_offset;    /* Smi: line of the first line, from 0 */
	__u16 script_column_offset;  /* Smi: of the first line only */
	__u16 script_source_url;     /* //# sourceURL=: String or undefined */
	__u16 script_source_map_url; /* //# sourceMappingURL=: likewise */
	__u16 script_id; /* Smi, unique within an isolate, for good */

	__u16 code_instruction_start; /* of a pointer, or of the instructions */
	__u16 code_instructions_inline; /* bool: the latter (V8 10) */
	__u16 code_instruction_size;	/* u32 */
	__u16 code_flags;		/* u32 */
	__u16 code_kind_mask;
	__u16 code_kind_baseline; /* above: optimised; below: builtins etc. */
	__u16 code_deoptimization_data;
	__u16 code_source_positions;
	/* int32: offset of the JumpLoop at which the code is entered, -1: at
	 * its start; 0: not known, in versions without Maglev. */
	__u16 code_osr_offset;
	__u16 deopt_literals_index; /* elements of the deoptimisation data */
	__u16 deopt_inlining_positions_index;

	__u16 bytecode_data;
	__u16 bytecode_source_positions;

	__u16 scope_info_first_vars; /* element index */
	__u16 scope_info_context_locals;

	__u16 string_length; /* u32 */
	__u16 string_chars;
	__u16 cons_first, cons_second;
	__u16 sliced_parent, sliced_offset;
	__u16 thin_actual;
	__u16 external_data; /* pointer to the characters */

	__u16 array_length; /* Smi of FixedArray and ByteArray */
	__u16 array_data;

	/* The heap, for sampling; all 0 when it cannot be tracked. */
	__u16 allocator_heap; /* Space or MainAllocator -> Heap */
	__u16 allocator_lab;  /* -> {start, top, limit} */
	/* Of the lock at whose taking ResetLab or (V8 10 and 11; and at whose
	 * release) refilling is probed, from the allocator; 0: functions are
	 * probed at their entries. In struct pt_regs of the register that has
	 * the old area's top. src/v8/lab_site.h, refill_site.h. */
	__u16 allocator_lock, lab_top_register;
	__u16 scavenger_heap; /* ScavengerCollector -> Heap */
	__u16 page_flags;
	__u16 page_metadata; /* of a pointer; V8_PAGE_INLINE: in the page */
	__u16 metadata_mark_bits;
	__u16 metadata_area_start;
	__u32 isolate_from_heap; /* isolate = heap - this */
	__u32 isolate_c_entry_fp;
};
#define V8_PAGE_INLINE 0xffff

/* Map `v8_processes`, by owner tgid: present when the process runs a V8 that we
 * can read. */
struct v8_process {
	struct v8_layout layout;
	/* Counts collections, scavenges too, of all isolates: objects may have
	 * moved between two values. Advanced by the programs at the end of a
	 * collection. */
	__u32 gc_epoch;
	__u32 reserved;
	/* Of all collections that have ended: how many, their time, and the
	 * hits in it of probes that windows take out (bpf/v8_pauses.h). */
	__u64 pauses, pauses_ns, pauses_hits;
};

/* The receiver of a JavaScript call, from the frame pointer: the last word that
 * the caller pushed, since V8 8.9. */
#define V8_FRAME_RECEIVER 16

/* ---- JavaScript frames -------------------------------------------------- */

/*
 * A JavaScript frame of a stack is FRAME_OBJECT_JS << 48 and a hash of what
 * identifies the place for good: process, thread, script id, function literal
 * id, and the position (bytecode offset or program counter). Objects move; the
 * record of the first time it was seen says where they were at that moment.
 */
#define FRAME_OBJECT_JS 0xffff
#define FRAME_IS_JS(f)	((f) >> FRAME_OBJECT_SHIFT == FRAME_OBJECT_JS)

enum js_code {
	JS_CODE_UNKNOWN,     /* cannot be told; position: of pc, low 32 bits */
	JS_CODE_INTERPRETED, /* position: bytecode offset */
	JS_CODE_BASELINE,    /* position: offset into the code object */
	JS_CODE_OPTIMISED,   /* the same; Maglev or Turbofan */
	JS_CODE_BUILTIN,     /* written in Torque or C++ (Map.prototype.set) */
};

/* Map `js_frames`, by frame. */
struct js_frame_state {
	__u64 seen_ns;	/* when it was sent last, CLOCK_MONOTONIC */
	__u32 gc_epoch; /* then */
	__u8 resolved;	/* set by user space: is not sent again */
	__u8 tries;	/* times it was sent before; stops at 255 */
	__u16 reserved;
};

/* Sent as an event when new, or seen anew before it was resolved. Pointers are
 * tagged, and hints: user space checks types. */
struct js_frame {
	__u64 frame;
	__u64 function;
	__u64 shared;
	__u64 bytecode_array; /* 0: not known */
	__u64 code;	      /* 0: not known, or not the code that runs */
	__u64 pc;	      /* look-up address: return address - 1 */
	__u64 heap;	      /* Heap of the isolate; 0: not known */
	__u64 callee;	/* leaf: frame of the native code it called; 0: none */
	__u64 receiver; /* `this`, if it has one; 0: not known */
	__u32 position;
	__u32 tgid;
	__u32 tid;
	__u32 thread;	/* number that no two threads share, from 1 */
	__u32 gc_epoch; /* `v8_process.gc_epoch` when it was read */
	/* Tell whether `shared` is still the same function. */
	__s32 script_id; /* 0: not known, no script */
	__s32 function_literal_id;
	__u8 kind; /* enum js_code */
	/* No JavaScript frame below it. For js_frame_resolve: ... and it called
	 * the slow path of allocation. */
	__u8 leaf;
	__u8 tries; /* as in struct js_frame_state */
	__u8 reserved;
};

struct js_frame_event {
	struct event header;
	struct js_frame frame;
};

/* ---- Samples of V8's heap ----------------------------------------------- */

/*
 * Samples that scavenges pass over, of all isolates together: young generations
 * of 256 MiB, if each stands for the 128 KiB that it does at least. A multiple
 * of 64, and a power of two.
 */
#define V8_YOUNG_SAMPLES 2048

/* Maps `v8_young` and `v8_old`. In use while block.booking is not 0. */
struct v8_sample {
	__u64 address; /* untagged; where it is now, outside of a GC */
	__u64 heap;
	__u32 survived; /* full GCs that found it alive */
	__u16 sized;	/* block.size is the object's, not a guess */
	__u16 aged;	/* a full GC found it alive at the age of V8_AGED_NS */
	/* Its threshold is such that it stands for the bytes allocated since
	 * the sample before: size / P. */
	struct block block;
};

/*
 * One full GC tells little of what is allocated or promoted while it marks: V8
 * marks that, whatever becomes of it. An object that is older than marking
 * lasts was found by it.
 */
#define V8_AGED_NS 5000000000ULL

/* What an object counts for before its size is known. Only numbers of objects
 * depend on it, never bytes. */
#define V8_OBJECT_BYTES 64

/* A Heap, Space or MainAllocator of a process. */
struct v8_key {
	__u64 address;
	__u32 owner; /* tgid */
	__u32 reserved;
};

/* Of a heap, that are asked at each GC; V8 has one per space. */
#define V8_ALLOCATORS 8

/* Map `v8_heaps`, by struct v8_key: an isolate's heap. */
struct v8_heap {
	__u64 first_ns; /* when it was first seen, CLOCK_MONOTONIC */
	__u32 tid;	/* that collects it: the isolate's thread */
	__u32 collecting;
	__u64 gc_begin_ns;
	__u64 gc_begin_hits;
	__u64 scavenges, scavenge_ns; /* count, sum of pauses */
	__u64 full_gcs, full_gc_ns;
	__u64 other_gcs;    /* of kinds that cannot be followed (--minor-ms) */
	__u64 last_full_ns; /* when the last full GC ended */
	__u64 live_bytes;   /* after the last full GC; 0: not known */
	__u64 size_due;	    /* it is about to be known */
	__u64 passes_ns;    /* spent in GCs on following samples */
	__u64 pass_ns_max;
	/* What its thread allocates with: Space or MainAllocator. */
	__u64 allocators[V8_ALLOCATORS];
	/* Mean bytes between samples (bpf/v8_interval.h), 0: the least; and
	 * what that goes by: time spent on samples, and all as of the last
	 * adjustment. */
	__u64 interval, sampling_ns;
	__u64 adjusted_ns, adjusted_sampling_ns, adjusted_pauses_ns,
		adjusted_passes_ns;
	/* For checks: what was seen. */
	__u64 samples;
	__u64 scavenged, marked, evacuated;
	__u64 lab_bad;	   /* allocation areas that made no sense */
	__u64 forward_bad; /* forwarding addresses that made no sense */
	__u64 page_bad;	   /* flags of a sampled object's page */
};

#endif
