/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Debug files from servers that speak debuginfod's protocol (elfutils).
 *
 * The network, and what comes from it, is not for a privileged process: a
 * process of its own, forked early, runs debuginfod-find, the program that
 * elfutils has for it, and hands back open files. It has no privileges: it is
 * the user who called sudo, else, below root, nobody. The program keeps what it
 * got in that user's cache ($XDG_CACHE_HOME/debuginfod_client; for nobody
 * /var/cache/leakbpf/debuginfod), together with what the servers do not have.
 *
 * A build-id is all that servers are told.
 */
#ifndef SYMBOL_DEBUGINFOD_H
#define SYMBOL_DEBUGINFOD_H

#include <stddef.h>
#include <stdint.h>

struct debuginfod_options {
	const char *urls;	/* separated by blanks */
	unsigned file_seconds;	/* waited for one file at most */
	unsigned total_seconds; /* ... for all of them */
	uint64_t file_bytes;	/* larger ones are refused */
};
/* A run that traces does not wait as long as a look at a capture. */
#define DEBUGINFOD_LIVE                                                        \
	{                                                                      \
		.file_seconds = 20, .total_seconds = 60                        \
	}
#define DEBUGINFOD_CAPTURE                                                     \
	{                                                                      \
		.file_seconds = 60, .total_seconds = 300                       \
	}

struct debuginfod;

/* Call early: forks. `urls` NULL: those in $DEBUGINFOD_URLS; file_bytes 0: 2
 * GiB. NULL: no server is named, or there is no process for it, which is
 * reported. */
struct debuginfod *debuginfod_start(const struct debuginfod_options *options,
				    const char *urls);
/* NULL is allowed. */
void debuginfod_stop(struct debuginfod *d);

/* The debug file of a build-id: a descriptor of an ELF file, whose contents
 * nobody has looked at, or -errno. `name`: of what, to say so while it lasts.
 */
int debuginfod_open(struct debuginfod *d, const uint8_t *id, size_t size,
		    const char *name);

#endif
