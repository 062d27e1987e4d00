/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"
#include "symbol/wire.h"

#define ANSWER_TIMEOUT_S 5

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
	zygote_main *main;
	void *context;
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
	prctl(PR_SET_NAME, "leakbpf-symbol", 0, 0, 0);
	close(n->control);
	n->main(socket, n->context);
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
		return wire_send(n->control, &answer, sizeof(answer), -1);
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
	sent = wire_send(n->control, &answer, sizeof(answer),
			 pid < 0 ? -1 : pair[0]);
	close(pair[0]);
	return sent;
}

static int obey(struct nursery *n)
{
	struct order order;
	struct answer done = {0};
	ssize_t got = wire_receive(n->control, &order, sizeof(order), NULL);

	if (got != sizeof(order))
		return -EPIPE; /* the owner is gone */
	if (order.command == SPAWN)
		return spawn(n);
	end_worker(n);
	return wire_send(n->control, &done, sizeof(done), -1);
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

static void run_zygote(zygote_main *worker, void *context, int control)
{
	struct nursery n = {.main = worker, .context = context};
	sigset_t none;
	int err = 0;

	prctl(PR_SET_NAME, "leakbpf-zygote", 0, 0, 0);
	reset_signals();
	volunteer_for_oom();
	sigemptyset(&none);
	n.control = SANDBOX_FIRST_KEPT;
	if (sandbox_keep_files(&control, 1) || sandbox_drop_privileges())
		_exit(1); /* rather no names than a parser with rights */
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

int zygote_start(struct zygote *z, zygote_main *worker, void *context)
{
	struct timeval bound = {.tv_sec = ANSWER_TIMEOUT_S};
	int pair[2];

	z->control = -1;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	z->pid = fork();
	if (z->pid == 0)
		run_zygote(worker, context, pair[1]);
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
		err = wire_send(z->control, &order, sizeof(order), -1);
	if (err)
		return err;
	ssize_t got = wire_receive(z->control, answer, sizeof(*answer), fd);
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

void zygote_stop(struct zygote *z)
{
	if (z->control < 0)
		return;
	/* One that does not answer (somebody stopped it) is not waited for;
	 * its worker dies with it. */
	if (zygote_kill(z))
		kill(z->pid, SIGKILL);
	close(z->control);
	z->control = -1;
	while (waitpid(z->pid, NULL, 0) < 0 && errno == EINTR)
		;
}
