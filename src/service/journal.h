/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SERVICE_JOURNAL_H
#define SERVICE_JOURNAL_H

#include <stdbool.h>

/* Whether standard error goes to systemd's journal (JOURNAL_STREAM names its
 * device and inode, systemd.exec(5)): then lines may begin with their priority,
 * sd-daemon(3). */
bool journal_is_stderr(void);

#endif
