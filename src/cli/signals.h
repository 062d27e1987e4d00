/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Being asked to stop. SIGINT, SIGTERM and SIGHUP only leave a mark, so that
 * whoever waits (the handlers interrupt system calls) finishes in an orderly
 * way; a second SIGINT ends the process at once. Links are descriptors: the
 * kernel removes the probes in that case too. A service takes SIGHUP as the
 * request to read its configuration again.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

int signals_install(void); /* 0 or -errno */
bool signals_stop_requested(void);
int signals_reload_on_hangup(void); /* 0 or -errno */
/* Whether it was asked for since the last call. */
bool signals_take_reload(void);
/* For a child, before exec: as leakbpf found them. */
void signals_restore(void);

#endif
