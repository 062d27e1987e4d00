// SPDX-License-Identifier: GPL-2.0-only
/*
 * Closing a link waits for RCU grace periods, some 50 ms. Grace periods are
 * shared by whoever waits at the same time, so links are closed side by side.
 *
 * Perf events gain little by that: the kernel waits while it holds a global
 * mutex (kernel/trace/trace_event_perf.c, perf_uprobe_destroy), so each one
 * costs 80 to 250 ms, whoever closes them. More than a few are therefore
 * given to short-lived child processes: they hold the last references and do
 * nothing but close them, and the caller need not wait for that. Nothing can
 * go wrong with them: if one is killed, its links close all the same.
 */
#include "probe/link.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLOSERS_MAX	 64
#define CLOSER_STACK	 (64 * 1024)
#define PERF_EVENTS_HERE 6   /* so many are closed without children */
#define CHILDREN	 4   /* the part outside the mutex does overlap */
#define CHILDREN_WAIT_MS 800 /* what they have not done by then goes on */

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

static void close_in_threads(const int *fds, size_t count)
{
	struct closing c = {.fds = fds, .count = count};
	pthread_t threads[CLOSERS_MAX];
	size_t wanted = count > CLOSERS_MAX ? CLOSERS_MAX : count;
	size_t started =
		wanted > 1 ? start_closers(&c, threads, wanted - 1) : 0;

	close_some(&c);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
}

static void close_from_to(int first, int last)
{
	if (first > last)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, (unsigned)first, (unsigned)last, 0))
		return;
#endif
	for (int fd = first; fd <= last && fd < 65536; fd++)
		close(fd);
}

/* Child: closes everything (the caller's terminal and pipes, above all) but
 * its share of the sorted `fds`, and that as soon as the caller has closed
 * its own copies. `end` stays open until all is done. */
static _Noreturn void close_share(const int *fds, size_t count, size_t share,
				  int end)
{
	int next = 0;
	char none;

	for (size_t i = 0; i < count; i++) {
		if (i % CHILDREN != share && fds[i] != end)
			continue;
		close_from_to(next, fds[i] - 1);
		next = fds[i] + 1;
	}
	close_from_to(next, INT_MAX);
	while (read(end, &none, 1) < 0 && errno == EINTR)
		;
	for (size_t i = share; i < count; i += CHILDREN)
		if (fds[i] != end)
			close(fds[i]);
	_exit(0);
}

/* Child: starts those that do it, which become init's, so that nobody here
 * must wait for them. A share that gets none stays with the caller. */
static _Noreturn void start_children(const int *fds, size_t count, int end)
{
	setsid();
	for (size_t share = 0; share < CHILDREN; share++)
		if (!fork())
			close_share(fds, count, share, end);
	_exit(0);
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/*
 * `fds` has room for one more. False: nothing was closed. The children hold
 * one end of a socket pair: they wait for the caller to shut its end, so that
 * theirs are the last references, and the caller waits for theirs to close.
 */
static bool close_in_children(int *fds, size_t count)
{
	struct pollfd done = {.events = 0}; /* POLLHUP needs no asking */
	int ends[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return false;
	/* Kept by the children like the rest, so it goes into the same list. */
	fds[count] = ends[1];
	qsort(fds, count + 1, sizeof(*fds), by_number);
	pid = fork();
	if (!pid)
		start_children(fds, count + 1, ends[1]);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	close_in_threads(fds, count + 1);
	shutdown(ends[0], SHUT_WR);
	done.fd = ends[0];
	poll(&done, 1, pid > 0 ? CHILDREN_WAIT_MS : 0);
	close(ends[0]);
	return true;
}

void probe_links_close(struct probe_links *links)
{
	int *more = NULL;

	if (links->perf_events > PERF_EVENTS_HERE)
		more = realloc(links->fds,
			       (links->count + 1) * sizeof(*links->fds));
	if (more)
		links->fds = more;
	if (!more || !close_in_children(links->fds, links->count))
		close_in_threads(links->fds, links->count);
	free(links->fds);
	*links = (struct probe_links){0};
}
