/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/packet.h"
#include "base/sandbox.h"

#define ANSWER_TIMEOUT_S 5
/* For a process that has been told to leave. */
#define LEAVE_MS     1000
#define WAIT_STEP_MS 2

enum command { SPAWN = 1, KILL };

struct order {
	uint32_t command;
};

struct answer {
	int32_t error;
	int32_t worker;
};

/* ---- In the zygote ------------------------------------------------------ */

struct nursery {
	const struct zygote_options *options;
	int control;
	pid_t worker; /* 0: none; reaped before it is forgotten */
};

static void wake(int signal)
{
	(void)signal;
}

/* Whatever the owner did with signals does not apply here. Ctrl-C reaches the
 * whole process group: the owner still needs names for its last report, so
 * the end of the control socket is the only request to leave. */
static void reset_signals(void)
{
	static const int ignored[] = {SIGINT,  SIGTERM, SIGHUP,
				      SIGQUIT, SIGPIPE, SIGTSTP};
	struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	struct sigaction wakes = {.sa_handler = wake};
	sigset_t child;

	for (int s = 1; s < NSIG; s++)
		sigaction(s, &usual, NULL);
	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		sigaction(ignored[i], &ignore, NULL);
	sigaction(SIGCHLD, &wakes, NULL);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_SETMASK, &child, NULL); /* open only inside ppoll */
}

static void end_worker(struct nursery *n)
{
	if (!n->worker)
		return;
	kill(n->worker, SIGKILL);
	while (waitpid(n->worker, NULL, 0) < 0 && errno == EINTR)
		;
	n->worker = 0;
}

static void reap(struct nursery *n)
{
	if (n->worker && waitpid(n->worker, NULL, WNOHANG) == n->worker)
		n->worker = 0;
}

static void run_worker(const struct nursery *n, int socket, pid_t zygote)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	/* The zygote may be killed too; check it was not already. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (getppid() != zygote)
		_exit(1);
	prctl(PR_SET_NAME, n->options->worker_name, 0, 0, 0);
	close(n->control);
	n->options->main(socket, n->options->context);
	_exit(1);
}

static int spawn(struct nursery *n)
{
	struct answer answer = {0};
	int pair[2], sent;
	pid_t self = getpid();

	end_worker(n);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		answer.error = errno;
		return packet_send(n->control, &answer, sizeof(answer), -1, 0);
	}
	pid_t pid = fork();
	if (pid == 0) {
		close(pair[0]);
		run_worker(n, pair[1], self);
	}
	close(pair[1]);
	if (pid < 0)
		answer.error = errno;
	else
		answer.worker = n->worker = pid;
	sent = packet_send(n->control, &answer, sizeof(answer),
			   pid < 0 ? -1 : pair[0], 0);
	close(pair[0]);
	return sent;
}

static int obey(struct nursery *n)
{
	struct order order;
	struct answer done = {0};
	ssize_t got =
		packet_receive(n->control, &order, sizeof(order), NULL, 0);

	if (got != sizeof(order))
		return -EPIPE; /* the owner is gone */
	if (order.command == SPAWN)
		return spawn(n);
	end_worker(n);
	return packet_send(n->control, &done, sizeof(done), -1, 0);
}

/* When memory is short the kernel takes a worker, not the traced process. */
static void volunteer_for_oom(void)
{
	static const char score[] = "500";
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
	ssize_t done = fd < 0 ? -1 : write(fd, score, sizeof(score) - 1);

	(void)done; /* it only makes a better victim */
	if (fd >= 0)
		close(fd);
}

/* Gives up everything but the descriptors that are needed. */
static int confine(const struct zygote_options *o, int control, pid_t owner)
{
	int keep[1 + ZYGOTE_FILES_MAX] = {control}, err;

	for (size_t i = 0; i < o->file_count; i++)
		keep[1 + i] = o->files[i];
	err = sandbox_keep_files(keep, 1 + o->file_count);
	if (!err)
		err = sandbox_drop_privileges();
	/* After the change of user, which undoes it. The owner may have no
	 * right to kill another user's processes. */
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	return !err && getppid() != owner ? -ESRCH : err;
}

static void run_zygote(const struct zygote_options *o, int control, pid_t owner)
{
	struct nursery n = {.options = o, .control = SANDBOX_FIRST_KEPT};
	sigset_t none;
	int err = 0;

	prctl(PR_SET_NAME, o->name, 0, 0, 0);
	reset_signals();
	volunteer_for_oom();
	sigemptyset(&none);
	if (confine(o, control, owner))
		_exit(1); /* rather no worker than one with rights */
	while (!err) {
		struct pollfd p = {n.control, POLLIN, 0};

		if (ppoll(&p, 1, NULL, &none) < 0)
			reap(&n);
		else
			err = obey(&n);
	}
	end_worker(&n);
	_exit(0);
}

/* ---- In the owner ------------------------------------------------------- */

int zygote_start(struct zygote *z, const struct zygote_options *options)
{
	pid_t self = getpid();
	struct timeval bound = {.tv_sec = ANSWER_TIMEOUT_S};
	int pair[2];

	z->control = -1;
	if (options->file_count > ZYGOTE_FILES_MAX)
		return -EINVAL;
	if (!sandbox_can_drop_privileges())
		diag_warn("CAP_SETUID and CAP_SETGID are missing: %s cannot "
			  "give up its rights, so it does nothing",
			  options->worker_name);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	z->pid = fork();
	if (z->pid == 0)
		run_zygote(options, pair[1], self);
	close(pair[1]);
	if (z->pid < 0) {
		int err = -errno;
		close(pair[0]);
		return err;
	}
	z->control = pair[0];
	setsockopt(z->control, SOL_SOCKET, SO_RCVTIMEO, &bound, sizeof(bound));
	return 0;
}

static int command(struct zygote *z, enum command what, struct answer *answer,
		   int *fd)
{
	struct order order = {.command = what};
	int err = z->control < 0 ? -EPIPE : 0;

	if (!err)
		err = packet_send(z->control, &order, sizeof(order), -1, 0);
	if (err)
		return err;
	ssize_t got =
		packet_receive(z->control, answer, sizeof(*answer), fd, 0);
	if (got < 0)
		return (int)got;
	return got == sizeof(*answer) ? -answer->error : -EPIPE;
}

int zygote_spawn(struct zygote *z, pid_t *worker)
{
	struct answer answer;
	int fd = -1;
	int err = command(z, SPAWN, &answer, &fd);

	if (err || fd < 0) {
		if (fd >= 0)
			close(fd);
		return err ? err : -EPROTO;
	}
	*worker = answer.worker;
	return fd;
}

int zygote_kill(struct zygote *z)
{
	struct answer answer;

	return command(z, KILL, &answer, NULL);
}

/* Whether the child could be waited for in time. */
static bool ended_within(pid_t pid, unsigned ms)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_MS * 1000000};

	for (unsigned waited = 0;; waited += WAIT_STEP_MS) {
		pid_t got = waitpid(pid, NULL, WNOHANG);

		if (got == pid || (got < 0 && errno != EINTR))
			return true;
		if (waited >= ms)
			return false;
		nanosleep(&step, NULL);
	}
}

void zygote_stop(struct zygote *z)
{
	int killed = -1;

	if (z->control < 0)
		return;
	/* One that does not answer (somebody stopped it) is not waited for;
	 * its worker dies with it. */
	if (zygote_kill(z))
		killed = kill(z->pid, SIGKILL);
	close(z->control);
	z->control = -1;
	if (!ended_within(z->pid, LEAVE_MS) && killed)
		kill(z->pid, SIGKILL);
}
