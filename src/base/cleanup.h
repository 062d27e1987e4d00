/* SPDX-License-Identifier: GPL-2.0-only */
/* Scope-bound release of plain resources (gcc and clang `cleanup`). */
#ifndef BASE_CLEANUP_H
#define BASE_CLEANUP_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void cleanup_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline void cleanup_fclose(FILE **f)
{
	if (*f)
		fclose(*f);
}

#define CLEANUP_FREE   __attribute__((cleanup(cleanup_free)))
#define CLEANUP_CLOSE  __attribute__((cleanup(cleanup_close)))
#define CLEANUP_FCLOSE __attribute__((cleanup(cleanup_fclose)))

/* Hands the value to the caller and disarms the cleanup. */
#define TAKE_FD(fd)                                                            \
	__extension__({                                                        \
		int taken = (fd);                                              \
		(fd) = -1;                                                     \
		taken;                                                         \
	})
#define TAKE_PTR(p)                                                            \
	__extension__({                                                        \
		__typeof__(p) taken = (p);                                     \
		(p) = NULL;                                                    \
		taken;                                                         \
	})

#endif
