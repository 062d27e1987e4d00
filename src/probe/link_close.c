// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closing a link waits for RCU grace periods, tens of milliseconds each and
 * more on some kernels. Grace periods are shared by whoever waits at the same
 * time, so the links are closed side by side.
 */
#include "probe/link.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#define CLOSERS_MAX  64
#define CLOSER_STACK (64 * 1024)

struct closing {
	const int *fds;
	size_t count;
	atomic_size_t next;
};

static void *close_some(void *context)
{
	struct closing *c = context;

	for (;;) {
		size_t i = atomic_fetch_add(&c->next, 1);

		if (i >= c->count)
			return NULL;
		close(c->fds[i]);
	}
}

/* Helper threads take no signals: they are the caller's business. */
static size_t start_closers(struct closing *c, pthread_t *threads, size_t count)
{
	pthread_attr_t attr;
	sigset_t all, before;
	size_t started = 0;

	if (pthread_attr_init(&attr))
		return 0;
	pthread_attr_setstacksize(&attr, CLOSER_STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < count &&
	       !pthread_create(&threads[started], &attr, close_some, c))
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return started;
}

void probe_links_close(struct probe_links *links)
{
	struct closing c = {.fds = links->fds, .count = links->count};
	pthread_t threads[CLOSERS_MAX];
	size_t wanted, started = 0;

	if (links->count > 1) {
		wanted = links->count - 1;
		if (wanted > CLOSERS_MAX)
			wanted = CLOSERS_MAX;
		started = start_closers(&c, threads, wanted);
	}
	close_some(&c);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	free(links->fds);
	*links = (struct probe_links){0};
}
