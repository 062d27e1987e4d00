// SPDX-License-Identifier: GPL-2.0-only
/* Processes as they are taken up and given up. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "base/diag.h"
#include "trace/tracer_internal.h"

static void unwatch_exit(struct tracer *t, const struct tracee *e)
{
	if (e->process)
		epoll_ctl(t->epoll_fd, EPOLL_CTL_DEL, e->process->pidfd, NULL);
}

static int watch_exit(struct tracer *t, struct tracee *e)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = e};

	if (epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, e->process->pidfd, &ev))
		return -errno;
	return 0;
}

static int attach(struct tracer *t, struct tracee *e)
{
	int err = tracee_scan(t, e);

	if (err < 0)
		return err;
	err = watch_exit(t, e);
	v8_find(t, e);
	return err ? err : tracee_start(t, e);
}

static int attach_or_remove(struct tracer *t, struct process *process,
			    bool quiet)
{
	struct tracee *e = tracee_new(t, process->pid, process->pid);
	int err;

	if (!e)
		return -ENOMEM;
	e->process = process;
	e->quiet = quiet;
	err = attach(t, e);
	if (!err)
		return 0;
	if (err == -ESRCH || !process_alive(process)) {
		diag(tracee_level(e), "process %d is gone", (int)process->pid);
		err = -ESRCH;
	}
	unwatch_exit(t, e);
	tracee_remove(t, e);
	return err;
}

static int attach_locked(struct tracer *t, struct process *process, bool quiet)
{
	int err;

	windows_lock(t);
	err = attach_or_remove(t, process, quiet);
	windows_unlock(t);
	return err;
}

int tracer_attach(struct tracer *t, struct process *process)
{
	return attach_locked(t, process, false);
}

int tracer_attach_quietly(struct tracer *t, struct process *process)
{
	return attach_locked(t, process, true);
}

void tracer_attach_many(struct tracer *t)
{
	range_maps_gather(&t->range_maps);
}

void tracer_attach_done(struct tracer *t)
{
	int err;

	windows_lock(t);
	err = range_maps_flush(&t->range_maps);
	if (err)
		diag_warn("some stacks will end early: %s", strerror(-err));
	for (size_t i = 0; i < t->tracee_count; i++) {
		struct tracee *e = t->tracees[i];

		if (!e->waits)
			continue;
		e->waits = false;
		tracee_publish_target(t, e);
	}
	windows_unlock(t);
}

/* ---- The end ------------------------------------------------------------- */

/* Those that share its memory, too. */
static void forget(struct tracer *t, pid_t pid)
{
	for (size_t i = 0; i < t->tracee_count;) {
		struct tracee *e = t->tracees[i];

		if (e->pid != pid && e->owner != pid) {
			i++;
			continue;
		}
		unwatch_exit(t, e);
		v8_heap_forget(t, e);
		tracee_remove(t, e);
	}
	if (t->regions)
		regions_drop_process(t->regions, pid);
}

void tracer_forget(struct tracer *t, const pid_t *pids, size_t count)
{
	if (!count)
		return;
	windows_lock(t);
	for (size_t i = 0; i < count; i++)
		forget(t, pids[i]);
	tracer_purge(t, pids, count);
	stack_ids_retire(t, pids, count);
	windows_unlock(t);
}
