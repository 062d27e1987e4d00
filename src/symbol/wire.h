/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages between the symbolizer (privileged) and its worker (confined), one
 * per packet of a SOCK_SEQPACKET pair of the same program, so host layout is
 * the format. The worker parses hostile files, hence everything it sends is
 * untrusted: decoded with checks, capped, and texts are cleaned on arrival.
 *
 *   symbolizer                          worker
 *   WIRE_RESOLVE + object's file  ->
 *                                 <-    WIRE_WANT (a separate debug file)
 *   WIRE_FILE [+ file]            ->
 *                                 <-    WIRE_SYMBOL, one per address, in order
 *                                 <-    WIRE_BYE (idle: about to exit)
 */
#ifndef SYMBOL_WIRE_H
#define SYMBOL_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WIRE_MESSAGE_MAX   65536
#define WIRE_ADDRESSES_MAX 256
#define WIRE_LEVELS_MAX	   64
#define WIRE_NAME_MAX	   256

enum wire_type {
	WIRE_RESOLVE = 1,
	WIRE_FILE,
	WIRE_SYMBOL,
	WIRE_WANT,
	WIRE_BYE,
};

/* wire_resolve.flags */
#define WIRE_NO_DWARF 1u
/* The file is a source map, with a number of its own kind; addresses are
 * places in generated code (wire_place), the answers have a level with file,
 * line and column (from 0), or none; `named`: the map can be used. */
#define WIRE_SOURCE_MAP 2u

struct wire_resolve {
	uint32_t type;
	uint32_t object;
	uint32_t flags;
	uint32_t count;
	/* Of a source map: length of the script that it is for, in UTF-16; 0:
	 * no matter. */
	uint32_t units;
	uint64_t addresses[WIRE_ADDRESSES_MAX];
};

/* Both from 0. */
static inline uint64_t wire_place(uint32_t line, uint32_t column)
{
	return (uint64_t)line << 32 | column;
}

struct wire_file {
	uint32_t type;
	uint32_t found; /* a descriptor comes with the message */
};

enum wire_want_kind {
	WANT_BUILD_ID,	/* name: the build-id's bytes */
	WANT_DEBUGLINK, /* name: a file name without '/' */
	WANT_DWZ,	/* name: .gnu_debugaltlink's path */
	WANT_FETCHED,	/* by build-id, from a server */
	WANT_SCRIPT,	/* that a source map is for */
};

struct wire_want {
	uint32_t type;
	uint32_t kind;
	uint32_t size;
	uint8_t name[WIRE_NAME_MAX];
};

/* A frame's names on their way through the pipe; texts are slices, not
 * NUL-terminated. Innermost level first. */
struct wire_level {
	const char *function;
	const char *file;
	uint32_t function_size;
	uint32_t file_size;
	uint32_t line;
	uint32_t column;
	bool inlined;
	/* What follows does not travel. */
	bool approximate;
	const char *generated_file; /* with a NUL */
	uint32_t generated_line, generated_column;
};

struct wire_symbol {
	uint32_t index; /* into wire_resolve.addresses */
	bool named;
	uint64_t function_offset;
	uint32_t level_count; /* 0: nothing is known */
	struct wire_level levels[WIRE_LEVELS_MAX];
};

/* Returns the size of the message. Texts are shortened so that it fits. */
size_t wire_encode_symbol(uint8_t to[WIRE_MESSAGE_MAX],
			  const struct wire_symbol *s);
/* 0 or -EBADMSG. Slices point into `data`. */
int wire_decode_symbol(struct wire_symbol *s, const uint8_t *data, size_t size);

#endif
