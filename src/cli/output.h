/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where reports go. Everything is checked before anything is attached, so that
 * an hour of profiling does not end with "cannot write".
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "report/formats.h"

struct output_file {
	const char *path; /* NULL: not wanted */
	int fd; /* a pipe or device: written once, at the end; or -1 */
	bool to_stdout;
};

struct output {
	FILE *text; /* reports for people; NULL: nobody wants them */
	struct output_file files[REPORT_FORMATS];
};

/* `paths`, by format: NULL, "-" or a file name, kept. With "-" standard output
 * belongs to that format, and the text goes to standard error, or with `quiet`
 * nowhere. 0 or -errno, reported. output_close in every case. */
int output_open(struct output *o, const char *const paths[REPORT_FORMATS],
		bool quiet);
void output_close(struct output *o);
/* Whether files can (still) be written: 0 or -errno, reported. */
int output_check(const struct output *o);

/* Whether this format is written now: files at every report, so that they can
 * be looked at any time, pipes only at the end. */
bool output_due(const struct output *o, enum report_format format, bool final);
/* Whether any is. */
bool output_any_due(const struct output *o, bool final);
/*
 * Replaces the file as a whole: a reader sees the old or the new one, never a
 * part. `write` gets a stream and returns 0 or -errno. 0 or -errno, reported.
 */
int output_write(struct output *o, enum report_format format,
		 int (*write)(FILE *out, void *context), void *context);
/* Flushes the text: 0, -EPIPE if nobody reads any more (not reported), or
 * another -errno, reported. */
int output_flush(struct output *o);

#endif
