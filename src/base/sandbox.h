/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking rights away from the calling process, for good: what parses what a
 * target or a stranger has made runs without any. */
#ifndef BASE_SANDBOX_H
#define BASE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SANDBOX_FIRST_KEPT 3

/* Keeps the `count` descriptors of `keep`, which move to SANDBOX_FIRST_KEPT and
 * on, and closes every other one; 0-2 become /dev/null. 0 or -errno. */
int sandbox_keep_files(const int *keep, size_t count);

/* No root, no groups, no capabilities, no way to regain any (no_new_privs),
 * not dumpable. 0 or -errno. */
int sandbox_drop_privileges(void);

/* Whether that can succeed: root needs CAP_SETUID and CAP_SETGID for it. */
bool sandbox_can_drop_privileges(void);

/* Bounds CPU time, address space and private writable memory, and leaves no
 * core files. cpu_seconds 0: as long as it likes. 0 or -errno. */
int sandbox_limit(unsigned cpu_seconds, uint64_t address_space_bytes,
		  uint64_t heap_bytes);

/* Allows these system calls, those that memory management and ending take,
 * and no other: they kill, except that those that open or look up files fail
 * with EACCES (libraries try, and cope). 0 or -errno. */
int sandbox_filter(const int *allowed, size_t count);

#endif
