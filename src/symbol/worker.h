/* SPDX-License-Identifier: GPL-2.0-only */
/* The confined process that parses symbol tables, DWARF and source maps. */
#ifndef SYMBOL_WORKER_H
#define SYMBOL_WORKER_H

struct worker_options {
	unsigned idle_ms;    /* exits after that long without work */
	unsigned request_ms; /* time one answer may take, bounds CPU time */
};

/* Serves requests (symbol/wire.h) on `socket` until idle; never returns.
 * `context` is a struct worker_options. */
void worker_main(int socket, void *context);

#endif
