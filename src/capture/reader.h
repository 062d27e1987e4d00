/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reads a capture file, which comes from anybody: every length is checked,
 * memory is bounded by the size of the file (times what zlib can pack), and
 * what cannot be right is refused.
 *
 *     open -> { next -> each_stack }... -> close
 */
#ifndef CAPTURE_READER_H
#define CAPTURE_READER_H

#include <stdio.h>
#include <sys/types.h>

#include "capture/snapshot.h"
#include "symbol/names.h"

struct capture;

#define CAPTURE_PROCESSES_MAX 1024

struct capture_process {
	pid_t pid;
	const char *comm;
	const char *command_line;
	const char *container, *pod; /* names; NULL: none is known */
};

/* 0; -EINVAL: no capture file; -ENOTSUP: of another version; or -errno. Takes
 * the stream in every case. */
int capture_open(FILE *in, struct capture **out);
void capture_close_reader(struct capture *c);

/* 1: there is a next snapshot; 0: that was the last; -EINVAL: what follows is
 * malformed, -EFBIG: or too large to be a capture; -ENOMEM, -EIO. */
int capture_next(struct capture *c);
/* Of the last snapshot. `each` gets times since attach, and must not keep the
 * pointers. 0 or the first non-zero result. */
const struct capture_snapshot *capture_snapshot(const struct capture *c);
int capture_each_stack(const struct capture *c,
		       int (*each)(uint32_t id, const struct stack_frames *f,
				   const struct stack_stats *stats,
				   void *context),
		       void *context);

/* Known once the last snapshot has been read. Texts are valid until close. */
uint64_t capture_started_ns(const struct capture *c); /* since 1970 */
const char *capture_generator(const struct capture *c);
size_t capture_process_count(const struct capture *c);
const struct capture_process *capture_process_at(const struct capture *c,
						 size_t index);
/* The writer was interrupted: the file ends within a record. */
bool capture_is_torn(const struct capture *c);
/* Names and objects from the file; what it does not name gets a fallback like
 * the symbolizer's. */
struct names capture_names(struct capture *c);

#endif
