/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writes a capture file, one snapshot after the other:
 *
 *     create -> process... -> { add..., end }... -> close
 *
 * After each `end` the file on disk is complete up to that snapshot. It stays
 * bounded however long it is written: when it has too many snapshots, or is too
 * large, it is written anew with fewer of the old ones (thin.h).
 */
#ifndef CAPTURE_WRITER_H
#define CAPTURE_WRITER_H

#include <sys/types.h>

#include "capture/snapshot.h"
#include "symbol/names.h"

struct capture_writer;

struct capture_meta {
	uint64_t started_ns; /* time of attaching, ns since 1970 */
	const char *generator;
	const char *kernel; /* uname -r */
};

/* Replaces `path` by an empty capture. 0 or -errno. */
int capture_create(const char *path, const struct capture_meta *meta,
		   struct capture_writer **out);
/* A process, before the first snapshot that counts it, whose figures are the
 * `number`th of each snapshot from now on, from 1: the next number, or that of
 * a process that is gone. `container` and `pod` are names, "" for none. */
int capture_process(struct capture_writer *w, size_t number, pid_t pid,
		    const char *comm, const char *command_line,
		    const char *container, const char *pod);
/* One stack of the snapshot to come; times in `stats` as the kernel gave them,
 * attached_ns is subtracted. */
int capture_add(struct capture_writer *w, uint32_t id,
		const struct stack_frames *f, const struct stack_stats *stats,
		uint64_t attached_ns);
/* Ends the snapshot; times in `s` count from attach. */
int capture_end(struct capture_writer *w, const struct capture_snapshot *s,
		const struct names *names);
/* The ids of these objects (by id) are about to be others'. */
void capture_forget_objects(struct capture_writer *w, const bool *objects);
/* 0 or the -errno of what could not be written. */
int capture_close(struct capture_writer *w);

#endif
