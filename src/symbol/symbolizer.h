/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames to names: function, file and line, inlined calls unfolded.
 *
 * Parsing the DWARF of a file that the target controls is the riskiest thing
 * this tool does, so it is not done by the privileged process: a worker
 * process, forked before anything is attached, receives open files, has no
 * capabilities, no new files beyond the debug directories it is given, a
 * bounded address space and a bounded time per request. If it dies, the object
 * at fault is given up (module+offset instead of names), a new worker goes on
 * with the others, and the report counts it. When idle it exits, so its memory
 * is not held between reports.
 *
 * Sources, best first: DWARF in the object; separate debug file by build-id
 * (/usr/lib/debug/.build-id, also beneath the target's root) or
 * .gnu_debuglink; .symtab; .gnu_debugdata (xz); .dynsym; perf map
 * (/proc/PID/root/tmp/perf-NSPID.map) for addresses in no object.
 */
#ifndef SYMBOL_SYMBOLIZER_H
#define SYMBOL_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "object/object.h"

/* One level of a frame: the function itself or one inlined into it. */
struct symbol_level {
	const char *function; /* demangled; never NULL or "" */
	const char *file;     /* NULL: unknown */
	uint32_t line;        /* 0: unknown */
	uint32_t column;      /* 0: unknown */
	bool inlined;         /* inlined into the next level */
};

/* Innermost level first; level_count >= 1 always. For a frame without any
 * symbol the single level's function is "module+0xOFFSET [build-id]". */
struct symbol {
	const struct symbol_level *levels;
	uint32_t level_count;
	const char *module; /* base name of the object, "" for none */
	uint64_t function_offset; /* bytes from the physical function's start */
	bool named; /* a symbol was found */
};

struct symbolizer;

struct symbolizer_options {
	const char *debug_directory; /* NULL: /usr/lib/debug */
	bool no_dwarf; /* symbol tables only */
};

/* Call early: forks. NULL on failure (errno). */
struct symbolizer *symbolizer_new(struct object_registry *objects,
				  const struct symbolizer_options *options);
void symbolizer_free(struct symbolizer *s);

/*
 * Resolves many frames (encoding: leakbpf/abi.h) at once; they are cached, so
 * that symbolizer_get then is a look-up. Bounded time. 0 or -errno; frames that
 * could not be resolved still get a fallback symbol. `pid` (0: none) is for
 * perf maps of frames without an object.
 */
int symbolizer_resolve(struct symbolizer *s, int pid, const uint64_t *frames,
		       size_t count);
/* Never NULL; valid until symbolizer_free. */
const struct symbol *symbolizer_get(struct symbolizer *s, uint64_t frame);

struct symbolizer_stats {
	uint32_t worker_deaths;  /* crashes and time-outs */
	uint32_t objects_given_up;
};
void symbolizer_stats(const struct symbolizer *s, struct symbolizer_stats *out);

/* C++ (Itanium), Rust (legacy and v0) and D; a name that is none of them is
 * copied. Malloc'ed; NULL only without memory. Bounded by 64 KiB. */
char *symbol_demangle(const char *name);

#endif
