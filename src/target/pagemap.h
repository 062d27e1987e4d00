/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which pages of anonymous memory a process holds, in memory or in swap:
 * /proc/PID/pagemap (Documentation/admin-guide/mm/pagemap.rst).
 */
#ifndef TARGET_PAGEMAP_H
#define TARGET_PAGEMAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PAGEMAP_PAGE_BYTES 4096ULL

/* A descriptor, or -errno. */
int pagemap_open(pid_t pid);

/*
 * Picks those of `count` page addresses, in ascending order, that are not held
 * any more, and moves them to the front. How many, or -errno; -ESRCH when the
 * process has no memory (it has ended). Pages that share 2 MiB cost one system
 * call together. A page that was read but never written counts as held.
 */
ssize_t pagemap_gone(int fd, uint64_t *addresses, size_t count);

#endif
