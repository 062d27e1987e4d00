/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A small process, forked early and without rights, that forks the worker
 * whenever one is needed. So a restart never copies the grown, privileged
 * process, and never inherits its descriptors. At most one worker lives at a
 * time; both end when the zygote's owner does.
 */
#ifndef SYMBOL_ZYGOTE_H
#define SYMBOL_ZYGOTE_H

#include <sys/types.h>

struct zygote {
	pid_t pid;
	int control; /* -1: none */
};

/* Runs in each worker, `socket` being its end of a SOCK_SEQPACKET pair; does
 * not return. */
typedef void zygote_main(int socket, void *context);

/* 0 or -errno. `context` must be readable in the forked process. */
int zygote_start(struct zygote *z, zygote_main *worker, void *context);
/* Ends zygote and worker and waits for them. */
void zygote_stop(struct zygote *z);

/* Starts a worker (ends the one before, if any). Returns the caller's end of
 * the pair or -errno. */
int zygote_spawn(struct zygote *z, pid_t *worker);
/* Kills the worker if it still runs. 0 or -errno. */
int zygote_kill(struct zygote *z);

#endif
