/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The HTTP server of a continuous run. Speaking HTTP with whoever connects is
 * not for a process that can trace: it is done by a process of its own, forked
 * before anything is attached, without privileges and files, that asks this one
 * for pages. So a flaw in it gives away nothing but what the pages show.
 *
 * On a loopback address anybody on the machine may read, but no web page may
 * (the Host header must name the loopback address). Elsewhere a token is
 * required: `Authorization: Bearer TOKEN`, but for /healthz.
 */
#ifndef SERVE_SERVE_H
#define SERVE_SERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum serve_page {
	SERVE_HEALTH,	    /* /healthz */
	SERVE_METRICS,	    /* /metrics */
	SERVE_PPROF_HEAP,   /* /debug/pprof/heap?pid= */
	SERVE_PPROF_ALLOCS, /* /debug/pprof/allocs?pid= */
	SERVE_REPORT,	    /* /report?pid= */
	SERVE_API,	    /* /api?pid= */
	SERVE_PAGES
};

struct serve_options {
	const char *listen;	  /* see address.h */
	const char *token_file;	  /* holds the token; NULL: none */
	unsigned connections;	  /* at most at once; 0: 32 */
	unsigned timeout_seconds; /* for a client to get on; 0: 10 */
};

struct serve;

/* Listens and forks. -EINVAL (address, token), -EACCES (not loopback and no
 * token) or another -errno; reported. */
int serve_open(const struct serve_options *options, struct serve **out);
void serve_close(struct serve *s);

/* Writes a page; `pid` 0: of all targets. 0, -ENOENT (no such target), -EAGAIN
 * (nothing to show yet) or another -errno. */
typedef int serve_render_fn(enum serve_page page, uint32_t pid, FILE *out,
			    void *context);

/* Answers what is waiting, without blocking. 0; -EPIPE when the HTTP process
 * has died, which a restart heals: serve_restart. */
int serve_handle(struct serve *s, serve_render_fn *render, void *context);
int serve_restart(struct serve *s);

#endif
