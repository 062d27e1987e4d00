/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions of our own, to set probes on: what a kernel can do is found out by
 * doing it to ourselves. */
#ifndef PROBE_OWN_FUNCTION_H
#define PROBE_OWN_FUNCTION_H

#include <stdint.h>

enum own_function_kind {
	OWN_EMULATED, /* first instruction is emulated under a probe */
	OWN_STEPPED,  /* first instruction is single-stepped */
};

/* So many of each kind. Each probe gets one for itself: probes are cheap to
 * set and slow to remove, so they are all removed at the end. */
#define OWN_FUNCTIONS 16

typedef void (*own_function)(void);

/* The function does nothing. `index` < OWN_FUNCTIONS. */
own_function own_function_get(enum own_function_kind kind, unsigned index);

/* Offset of a function in the file it was mapped from, which must be this
 * process's executable: 0, -ENOENT, or what opening /proc/self/maps gave. */
int own_function_offset(own_function f, uint64_t *file_offset);
/* This process's executable, open; or -errno. */
int own_executable_open(void);

#endif
