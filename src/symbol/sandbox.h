/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking rights away from the calling process, for good. */
#ifndef SYMBOL_SANDBOX_H
#define SYMBOL_SANDBOX_H

/* Keeps `keep` (moved to descriptor 3) and closes every other one; 0-2 become
 * /dev/null. Returns 3 or -errno. */
int sandbox_close_files(int keep);

/* No root, no groups, no capabilities, no way to regain any (no_new_privs),
 * not dumpable. 0 or -errno. */
int sandbox_drop_privileges(void);

/* Bounds address space, heap and CPU time, and allows only the system calls
 * that parsing files already open needs; any other one kills, except that
 * opening a file fails with EACCES. 0 or -errno. */
int sandbox_confine(unsigned cpu_seconds);

#endif
