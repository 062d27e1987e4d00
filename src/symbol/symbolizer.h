/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames to names: function, file and line, inlined calls unfolded.
 *
 * Parsing the DWARF of a file that the target controls is the riskiest thing
 * this tool does, so it is not done by the privileged process: a worker
 * process, forked before anything is attached, receives open files, has no
 * capabilities, no new files beyond the debug directories it is given, a
 * bounded address space and a bounded time per request. If it dies, a new
 * worker goes on. An object that killed two of them, or took too long, is given
 * up: first its DWARF (symbol tables only), then its symbols (module+offset);
 * the report counts it. When idle the worker exits, so its memory is not held
 * between reports.
 *
 * Sources, best first: DWARF in the object; separate debug file by build-id
 * (/usr/lib/debug/.build-id, also beneath the target's root) or
 * .gnu_debuglink, or from a server (debuginfod.h); Go's table of functions;
 * .symtab; .gnu_debugdata (xz); .dynsym; perf map
 * (/proc/PID/root/tmp/perf-NSPID.map) for addresses in no object.
 */
#ifndef SYMBOL_SYMBOLIZER_H
#define SYMBOL_SYMBOLIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "object/object.h"

/* One level of a frame: the function itself or one inlined into it. */
struct symbol_level {
	const char *function; /* demangled; never NULL or "" */
	const char *file;     /* NULL: unknown */
	uint32_t line;	      /* 0: unknown */
	uint32_t column;      /* 0: unknown */
	bool inlined;	      /* inlined into the next level */
	bool approximate;     /* the line is one nearby */
	/* Where that was found in a source map, the place in the code that ran;
	 * NULL: that is the place above. */
	const char *generated_file;
	uint32_t generated_line, generated_column;
};

/* Innermost level first; level_count >= 1 always. For a frame without any
 * symbol the single level's function is "module+0xOFFSET [build-id]". */
struct symbol {
	const struct symbol_level *levels;
	uint32_t level_count;
	const char *module;	  /* base name of the object, "" for none */
	uint64_t function_offset; /* bytes from the physical function's start */
	bool named;		  /* a symbol was found */
	bool script;		  /* a function of JavaScript */
};

struct symbolizer;
struct debuginfod;

struct symbolizer_options {
	struct debuginfod *debuginfod; /* NULL: no servers are asked */
	const char *debug_directory;   /* NULL: /usr/lib/debug */
	bool no_dwarf;		       /* symbol tables only */
	/* 0 takes the default for each of these. */
	unsigned request_ms; /* wait for one answer of the worker; 5000 */
	unsigned idle_ms;    /* the worker exits after that; 5000 */
	size_t cache_bytes;  /* memory for symbols; 8 MiB */
};

/* Call early: forks. NULL on failure (errno). */
struct symbolizer *symbolizer_new(struct object_registry *objects,
				  const struct symbolizer_options *options);
void symbolizer_free(struct symbolizer *s);

/*
 * Resolves many frames (encoding: leakbpf/abi.h) at once; they are cached, so
 * that symbolizer_get then is a look-up. Bounded time: at most four times
 * request_ms, and what servers take (debuginfod.h); what is left over is tried
 * again by the next call. 0 or -errno; frames that could not be resolved still
 * get a fallback symbol.
 *
 * `pid` (0: none) is for perf maps of frames without an object and debug files
 * beneath the target's root. Both are still found after the process exited if
 * its pid was passed before; a call with no frames does that.
 */
int symbolizer_resolve(struct symbolizer *s, int pid, const uint64_t *frames,
		       size_t count);
/* Never NULL; valid until symbolizer_forget and symbolizer_free. */
const struct symbol *symbolizer_get(struct symbolizer *s, uint64_t frame);

/* What a frame is that only the caller can tell (JavaScript). Texts are copied.
 * Without memory left it is dropped, and counted. */
void symbolizer_learn(struct symbolizer *s, uint64_t frame,
		      const struct symbol_level *levels, size_t count,
		      const char *module);

/* The source map of a script that a process runs. */
struct symbol_map {
	uint32_t id; /* the caller's, of this map for good */
	pid_t pid;
	const char *path, *script; /* files of the process, or */
	const char *text;	   /* the map itself, maybe as a data: URL */
	size_t size;
	uint32_t units; /* of the script as it runs, in UTF-16 */
};

/* A place of a source as a map names it; lines and columns from 0. */
struct symbol_source {
	const char *file; /* NULL: the code comes from nowhere */
	uint32_t line, column;
};
typedef void (*symbol_source_fn)(void *context, size_t number,
				 const struct symbol_source *source);

/*
 * Looks up `places` (line << 32 | column, from 0) of a script's code in order,
 * by the worker, until `deadline_ns`. 0; -ENOENT: there is no such file, or the
 * target may not read it; -EBADMSG: no map, or not that of what runs; -ETIME,
 * -EIO: the worker could not cope with it.
 */
int symbolizer_map(struct symbolizer *s, const struct symbol_map *map,
		   const uint64_t *places, size_t count, uint64_t deadline_ns,
		   symbol_source_fn answer, void *context);

/*
 * Forgets all of these objects (by id), whose ids are about to be others'. With
 * `keep` also all frames that it does not want, and gives back their memory:
 * then no symbol that was got before is valid any more. 0 or -ENOMEM: nothing
 * has been forgotten, or no memory is given back.
 */
typedef bool (*symbol_keep_fn)(uint64_t frame, void *context);
int symbolizer_forget(struct symbolizer *s, const bool *objects,
		      symbol_keep_fn keep, void *context);
/* Most of cache_bytes is used. */
bool symbolizer_is_full(const struct symbolizer *s);

struct symbolizer_stats {
	uint32_t worker_deaths;	   /* crashes, time-outs, failed starts */
	uint32_t objects_given_up; /* wholly, or only their DWARF */
	uint32_t symbols_dropped;  /* cache_bytes were used up */
	size_t cache_bytes;
};
void symbolizer_stats(const struct symbolizer *s, struct symbolizer_stats *out);

/* The worker that runs just now, 0: none. */
pid_t symbolizer_worker(const struct symbolizer *s);

/* C++ (Itanium), Rust (legacy and v0) and D; a name that is none of them is
 * copied. Without parameter lists, return types and Rust hashes. Control bytes
 * and invalid UTF-8 become '?'. Malloc'ed; NULL only without memory. Bounded by
 * 64 KiB. */
char *symbol_demangle(const char *name);

#endif
