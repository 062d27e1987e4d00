/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where reports go. Everything is checked before anything is attached, so that
 * an hour of profiling does not end with "cannot write".
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

struct output {
	FILE *text;	    /* reports for people; NULL: nobody wants them */
	const char *folded; /* NULL: none */
	int folded_fd;	    /* a pipe or device: written once, at the end */
	bool folded_to_stdout;
};

/* `folded`: NULL, "-" or a file name, kept. With "-" standard output belongs
 * to the folded stacks, and the text goes to standard error, or with `quiet`
 * nowhere. 0 or -errno, reported. */
int output_open(struct output *o, const char *folded, bool quiet);
void output_close(struct output *o);

/* Whether folded stacks are written now: files at every report, so that they
 * can be looked at any time, pipes only at the end. */
bool output_folded_due(const struct output *o, bool final);
/*
 * Replaces the file as a whole: a reader sees the old or the new one, never a
 * part. `write` gets a stream and returns 0 or -errno. 0 or -errno, reported.
 */
int output_folded(struct output *o, int (*write)(FILE *out, void *context),
		  void *context);
/* Flushes the text: 0, -EPIPE if nobody reads any more (not reported), or
 * another -errno, reported. */
int output_flush(struct output *o);

#endif
