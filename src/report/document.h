/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A report with its names resolved and every different frame kept once: what
 * JSON, pictures and comparisons are made of. Owns what it points to, except
 * for `stack`, which stays with the profile.
 */
#ifndef REPORT_DOCUMENT_H
#define REPORT_DOCUMENT_H

#include "base/intern.h"
#include "report/report.h"

#define DOCUMENT_NONE UINT32_MAX

#define DOCUMENT_FRAME_INLINED 1u /* into the frame outside it */
#define DOCUMENT_FRAME_ROOT    2u /* stands for a process, or what is missing */
#define DOCUMENT_FRAME_UNNAMED 4u /* no symbol was found */

/* Texts are numbers for document_text. No padding: it is a key. */
struct document_frame {
	uint32_t function;
	uint32_t file;	 /* or DOCUMENT_NONE */
	uint32_t module; /* or DOCUMENT_NONE */
	uint32_t line;	 /* 0: unknown */
	uint32_t column;
	uint32_t flags;
	/* Where the code that ran stands, if the place above is in what it was
	 * made of; else DOCUMENT_NONE, 0, 0. */
	uint32_t generated_file;
	uint32_t generated_line, generated_column;
};

struct document_stack {
	const struct profile_stack *stack; /* NULL in a comparison */
	const struct verdict *verdict;	   /* NULL: none */
	size_t path; /* its frames, outermost first: doc->path[path...] */
	uint32_t depth;
	uint32_t blame;	 /* position in the path, or DOCUMENT_NONE */
	double bytes;	 /* live; in a comparison: after */
	double before;	 /* in a comparison */
	double variance; /* in a comparison: of the difference, bytes^2 */
};

struct document {
	struct intern *texts;
	struct intern *frames; /* struct document_frame */
	uint32_t *path;
	size_t path_count, path_capacity;
	struct document_stack *stacks; /* most bytes first */
	size_t stack_count;
};

/* 0 or -ENOMEM; document_free in every case. */
int document_make(struct document *d, const struct report *r);
/* What two reports hold, side by side: stacks are the same when their functions
 * are, so that two builds of a program can be compared. The largest difference
 * comes first. */
int document_compare(struct document *d, const struct report *before,
		     const struct report *after);
void document_free(struct document *d);

const char *document_text(const struct document *d, uint32_t number);
const struct document_frame *document_frame(const struct document *d,
					    uint32_t number);
/* Adds a frame, and appends it to the path. 0 or -ENOMEM. */
int document_add_frame(struct document *d, const char *function,
		       const char *file, const char *module,
		       struct document_frame frame);

#endif
