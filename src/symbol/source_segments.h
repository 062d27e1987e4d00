/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The `mappings` of a source map (ECMA-426): for every piece of generated code
 * where it comes from, as differences in base 64. A bundle has millions of
 * them, so they stay text, with a mark every few hundred characters.
 */
#ifndef SYMBOL_SOURCE_SEGMENTS_H
#define SYMBOL_SOURCE_SEGMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All from 0. */
struct source_segment {
	uint32_t line, column; /* where it starts in the generated code */
	bool mapped;	       /* else it comes from nowhere */
	bool named;
	uint32_t source; /* index */
	uint32_t source_line, source_column;
	uint32_t name; /* index */
};

/* Generated positions, ordered: what starts_after (ranges.h) searches for. */
static inline uint64_t source_position(uint32_t line, uint32_t column)
{
	return (uint64_t)line << 32 | column;
}

struct source_mark;

struct source_segments {
	const char *text; /* not owned */
	size_t size;
	struct source_mark *marks;
	size_t count;
};

/* `text` must outlive it. 0, -ENOMEM, or -EBADMSG for what is no list of
 * segments. */
int source_segments_read(struct source_segments *s, const char *text,
			 size_t size);
void source_segments_free(struct source_segments *s);

/* The last segment of the line that starts at the column or before it. */
bool source_segments_find(const struct source_segments *s, uint32_t line,
			  uint32_t column, struct source_segment *out);

#endif
