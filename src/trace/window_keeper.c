// SPDX-License-Identifier: GPL-2.0-only
/* Making a report can take seconds: probes that have become too expensive must
 * not wait for that, so a thread of its own opens and closes windows. */
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "trace/tracer_internal.h"

/* A new target is seen after so much time at the latest. */
#define STEP_MS_MAX 50
/* Where targets take all CPUs, a window would else last until it is our turn:
 * ten times as long as planned. What the thread does is little. */
#define KEEPER_NICE (-20)

/* Who waits gets it next: while many processes are attached it is free for
 * moments only, and probes that have become too expensive must not wait. */
void windows_lock(struct tracer *t)
{
	pthread_mutex_lock(&t->windows.turn);
	pthread_mutex_lock(&t->windows.lock);
	pthread_mutex_unlock(&t->windows.turn);
}

void windows_unlock(struct tracer *t)
{
	pthread_mutex_unlock(&t->windows.lock);
	if (__atomic_exchange_n(&t->windows.hurried, false, __ATOMIC_ACQ_REL))
		setpriority(PRIO_PROCESS, 0, t->windows.main_nice);
}

/* The main thread holds it for milliseconds, but where targets take all CPUs it
 * is not its turn for as long as a second: it gets our priority until it is
 * done. */
static void lock_soon(struct tracer *t)
{
	struct windows *w = &t->windows;

	pthread_mutex_lock(&w->turn);
	if (pthread_mutex_trylock(&w->lock)) {
		setpriority(PRIO_PROCESS, (id_t)w->main_thread, KEEPER_NICE);
		__atomic_store_n(&w->hurried, true, __ATOMIC_RELEASE);
		pthread_mutex_lock(&w->lock);
	}
	pthread_mutex_unlock(&w->turn);
}

static void *keep(void *context)
{
	struct tracer *t = context;
	int wait_ms;

	/* Of this thread only (setpriority(2), "C library/kernel differences").
	 * Without CAP_SYS_NICE it works, too, less exactly. */
	setpriority(PRIO_PROCESS, 0, KEEPER_NICE);
	while (!__atomic_load_n(&t->windows.stopping, __ATOMIC_ACQUIRE)) {
		lock_soon(t);
		windows_follow(t, monotonic_ns());
		wait_ms = windows_wait_ms(t, monotonic_ns(), STEP_MS_MAX);
		pthread_mutex_unlock(&t->windows.lock);
		nanosleep(&(struct timespec){.tv_nsec = wait_ms * 1000000L},
			  NULL);
	}
	return NULL;
}

/* It takes no signals: they are the main thread's business. */
int windows_keeper_start(struct tracer *t)
{
	sigset_t all, before;
	int err;

	t->windows.main_thread = gettid();
	t->windows.main_nice = getpriority(PRIO_PROCESS, 0);
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
