/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Closing links that nobody waits for: those of processes that have ended.
 * It takes some 50 ms, however many they are (probe/link_close.c), which a
 * thread spends, one batch at a time.
 */
#ifndef TRACE_CLOSER_H
#define TRACE_CLOSER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "probe/link.h"

struct closer {
	struct probe_links waiting, closing;
	pthread_t thread;
	bool running;
	atomic_bool done;
};

/* Takes the links; `links` has none afterwards. */
void closer_take(struct closer *c, struct probe_links *links);
/* Now and then: begins with what is waiting, if nothing is being closed. */
void closer_step(struct closer *c);
/* Closes what is left, and waits. */
void closer_finish(struct closer *c);

#endif
