/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small process, forked early and without rights, that forks the worker
 * whenever one is needed. So a restart never copies the grown, privileged
 * process, and never inherits its descriptors. At most one worker lives at a
 * time; both end when the zygote's owner does.
 */
#ifndef BASE_ZYGOTE_H
#define BASE_ZYGOTE_H

#include <stddef.h>
#include <sys/types.h>

#include "base/sandbox.h"

#define ZYGOTE_FILES_MAX 4

struct zygote {
	pid_t pid;
	int control; /* -1: none */
};

/* Runs in each worker, `socket` being its end of a SOCK_SEQPACKET pair; does
 * not return. */
typedef void zygote_main(int socket, void *context);

struct zygote_options {
	zygote_main *main;
	void *context; /* copied with the process, at the start */
	const char *name, *worker_name; /* at most 15 characters */
	/* Descriptors that workers have, as ZYGOTE_FIRST_FILE and on. */
	int files[ZYGOTE_FILES_MAX];
	size_t file_count;
};

#define ZYGOTE_FIRST_FILE (SANDBOX_FIRST_KEPT + 1)

/* 0 or -errno. */
int zygote_start(struct zygote *z, const struct zygote_options *options);
/* Ends zygote and worker and waits for them, or leaves them to the end of this
 * process, which they do not outlive. */
void zygote_stop(struct zygote *z);

/* Starts a worker (ends the one before, if any). Returns the caller's end of
 * the pair or -errno. */
int zygote_spawn(struct zygote *z, pid_t *worker);
/* Kills the worker if it still runs. 0 or -errno. */
int zygote_kill(struct zygote *z);

#endif
