/* SPDX-License-Identifier: GPL-2.0-only */
#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "cli/loader_run.h"
#include "cli/signals.h"

#define END_WAIT_MS 2000
#define END_STEP_MS 10

void spawn_keep_limits(struct spawned *s)
{
	if (getrlimit(RLIMIT_NOFILE, &s->file_limit))
		s->file_limit.rlim_cur = 0;
}

/* The child's side: wait until the parent has attached, then become the
 * command. Only what is safe between fork and exec. */
static void __attribute__((noreturn))
become(const struct spawned *s, char *const command[], int go, int failure)
{
	char byte;
	int error;
	ssize_t got;

	do
		got = read(go, &byte, 1);
	while (got < 0 && errno == EINTR);
	if (got != 1) /* the parent is gone */
		_exit(127);
	signals_restore();
	if (s->file_limit.rlim_cur)
		setrlimit(RLIMIT_NOFILE, &s->file_limit);
	execvp(command[0], command);
	error = errno;
	if (write(failure, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

/* EXITKILL: should leakbpf die meanwhile, a half-started program does not
 * stay behind. */
static int seize(pid_t pid, int go)
{
	if (ptrace(PTRACE_SEIZE, pid, NULL,
		   PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL))
		return -errno;
	return write(go, "g", 1) == 1 ? 0 : -errno;
}

static void kill_and_reap(struct spawned *s)
{
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
	s->held = false;
}

/* The error that exec gave; 0 when the child did not get that far. */
static int exec_error(int failure)
{
	int error;

	return read(failure, &error, sizeof(error)) == sizeof(error) ? error
								     : 0;
}

static enum exit_code not_started(struct spawned *s, int err, int failure)
{
	int reason = err == -ECHILD ? exec_error(failure) : -err;

	if (err == -ECHILD)
		s->pid = 0; /* reaped */
	else
		kill_and_reap(s);
	if (err == -EINTR)
		return EXIT_CODE_OK; /* Ctrl-C: the caller looks for that */
	diag_error("cannot start '%s': %s", s->name,
		   reason ? strerror(reason) : "it ended at once");
	return EXIT_CODE_COMMAND;
}

enum exit_code spawn_start(struct spawned *s, char *const command[])
{
	CLEANUP_CLOSE int go_read = -1, go_write = -1;
	CLEANUP_CLOSE int failure_read = -1, failure_write = -1;
	int go[2], failure[2], err;

	*s = (struct spawned){.name = command[0], .file_limit = s->file_limit};
	if (pipe2(go, O_CLOEXEC))
		goto failed;
	go_read = go[0];
	go_write = go[1];
	if (pipe2(failure, O_CLOEXEC))
		goto failed;
	failure_read = failure[0];
	failure_write = failure[1];
	s->pid = fork();
	if (s->pid < 0)
		goto failed;
	if (!s->pid) {
		close(go_write); /* else the parent's death goes unnoticed */
		become(s, command, go_read, failure_write);
	}
	close(TAKE_FD(failure_write));
	err = seize(s->pid, go_write);
	if (!err)
		err = loader_wait_exec(s->pid);
	if (err)
		return not_started(s, err, failure_read);
	s->held = true;
	return EXIT_CODE_OK;
failed:
	diag_error("cannot start '%s': %s", s->name, strerror(errno));
	s->pid = 0;
	return EXIT_CODE_COMMAND;
}

enum exit_code spawn_load(struct spawned *s, const struct process *process,
			  struct object_registry *objects)
{
	int err = loader_run(process, objects);

	if (!err)
		return EXIT_CODE_OK;
	if (err == -ECHILD) {
		s->pid = 0;
		s->held = false;
		diag_error("'%s' ended before it could be traced: run it "
			   "without leakbpf to see why",
			   s->name);
		return EXIT_CODE_COMMAND;
	}
	if (err != -EINTR)
		diag_error("cannot hold '%s' at its start: %s", s->name,
			   strerror(-err));
	return err == -EINTR ? EXIT_CODE_OK : EXIT_CODE_COMMAND;
}

int spawn_release(struct spawned *s)
{
	if (!s->held)
		return 0;
	s->held = false;
	return ptrace(PTRACE_DETACH, s->pid, NULL, NULL) ? -errno : 0;
}

static bool reaped_within(pid_t pid, int milliseconds)
{
	const struct timespec step = {.tv_nsec = END_STEP_MS * 1000000L};

	for (int waited = 0;; waited += END_STEP_MS) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got == pid || (got < 0 && errno == ECHILD))
			return true;
		if (waited >= milliseconds)
			return false;
		nanosleep(&step, NULL);
	}
}

void spawn_end(struct spawned *s)
{
	if (!s->pid)
		return;
	if (s->held) {
		kill_and_reap(s);
		return;
	}
	if (!reaped_within(s->pid, 0)) {
		kill(s->pid, SIGTERM);
		if (!reaped_within(s->pid, END_WAIT_MS))
			diag_warn("'%s' still runs as process %d: it ignores "
				  "SIGTERM",
				  s->name, (int)s->pid);
	}
	s->pid = 0;
}
