// SPDX-License-Identifier: GPL-2.0-only
/* Making a report can take seconds: probes that have become too expensive must
 * not wait for that. */
#include <signal.h>
#include <time.h>

#include "trace/tracer_internal.h"

#define STEP_NS 20000000L

void windows_lock(struct tracer *t)
{
	pthread_mutex_lock(&t->windows.lock);
}

void windows_unlock(struct tracer *t)
{
	pthread_mutex_unlock(&t->windows.lock);
}

/* While the main thread polls it holds the lock, and does this itself. */
static void *keep(void *context)
{
	const struct timespec step = {.tv_nsec = STEP_NS};
	struct tracer *t = context;

	while (!__atomic_load_n(&t->windows.stopping, __ATOMIC_ACQUIRE)) {
		nanosleep(&step, NULL);
		if (pthread_mutex_trylock(&t->windows.lock))
			continue;
		windows_follow(t, monotonic_ns());
		windows_unlock(t);
	}
	return NULL;
}

/* It takes no signals: they are the main thread's business. */
int windows_keeper_start(struct tracer *t)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&t->windows.keeper, NULL, keep, t);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	t->windows.keeper_runs = !err;
	return -err;
}

void windows_keeper_stop(struct tracer *t)
{
	if (!t->windows.keeper_runs)
		return;
	__atomic_store_n(&t->windows.stopping, true, __ATOMIC_RELEASE);
	pthread_join(t->windows.keeper, NULL);
	t->windows.keeper_runs = false;
}
