// SPDX-License-Identifier: GPL-2.0-only
#include "trace/closer.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

void closer_take(struct closer *c, struct probe_links *links)
{
	probe_links_take(&c->waiting, links);
}

static void *close_all(void *context)
{
	struct closer *c = context;

	probe_links_close(&c->closing);
	atomic_store(&c->done, true);
	return NULL;
}

static void join(struct closer *c)
{
	if (c->running)
		pthread_join(c->thread, NULL);
	c->running = false;
}

/* Signals are the main thread's business. */
static bool start(struct closer *c)
{
	sigset_t all, before;

	atomic_store(&c->done, false);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	c->running = !pthread_create(&c->thread, NULL, close_all, c);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return c->running;
}

void closer_step(struct closer *c)
{
	if (c->running && atomic_load(&c->done))
		join(c);
	if (c->running || !c->waiting.count)
		return;
	c->closing = c->waiting;
	c->waiting = (struct probe_links){0};
	if (!start(c))
		probe_links_close(&c->closing);
}

void closer_finish(struct closer *c)
{
	probe_links_close(&c->waiting);
	join(c);
}
