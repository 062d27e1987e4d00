// SPDX-License-Identifier: GPL-2.0-only
/*
 * From Linux 6.11 on the return trampoline of x86-64 is a system call,
 * uretprobe(2). Filters written before it know nothing of it, so a process
 * confined by one died at its first probed return, until the kernel let that
 * call pass seccomp (kernel/seccomp.c, seccomp_uprobe_exception; 6.14 and
 * stable). Found out with a child under a filter that allows it to exit and
 * nothing else.
 */
#include "probe/features_seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_STEP_NS 200000
#define WAIT_STEPS   10000 /* 2 s */

enum { CHILD_RETURNED = 0, CHILD_NOT_RELEASED = 2, CHILD_NO_SECCOMP = 3 };

static int confine(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog filter = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) ? -errno : 0;
}

/* Only system calls: other threads may have held locks at the fork. */
static _Noreturn void confined_child(int released, own_function probed)
{
	struct rlimit no_core = {0};
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setrlimit(RLIMIT_CORE, &no_core);
	if (read(released, &byte, 1) != 1)
		syscall(SYS_exit_group, CHILD_NOT_RELEASED);
	if (confine())
		syscall(SYS_exit_group, CHILD_NO_SECCOMP);
	probed();
	syscall(SYS_exit_group, CHILD_RETURNED);
	__builtin_unreachable();
}

static int attach_return(struct lab *lab, enum link_kind kind, pid_t pid,
			 own_function f)
{
	bool session = kind == LINK_SESSION;
	struct lab_program *program;
	int error = lab_load(lab, "do_nothing", kind, &program);

	if (error)
		return error;
	return lab_attach(lab, program, kind, pid, !session, 0, f);
}

/* The child's wait status; it is gone afterwards in any case. */
static int reap(pid_t child, int *status)
{
	const struct timespec step = {.tv_nsec = WAIT_STEP_NS};

	for (int i = 0; i < WAIT_STEPS; i++) {
		pid_t got = waitpid(child, status, WNOHANG);

		if (got == child)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		nanosleep(&step, NULL);
	}
	kill(child, SIGKILL);
	waitpid(child, status, 0);
	return -ETIMEDOUT;
}

bool features_return_kills_seccomp(struct lab *lab, enum link_kind kind)
{
	own_function probed = lab_function(lab, OWN_EMULATED);
	int release[2], status, error;
	pid_t child;

	if (!probed || pipe2(release, O_CLOEXEC))
		return true;
	child = fork();
	if (!child) {
		close(release[1]);
		confined_child(release[0], probed);
	}
	close(release[0]);
	if (child < 0) {
		close(release[1]);
		return true;
	}
	error = attach_return(lab, kind, child, probed);
	if (!error && write(release[1], "", 1) != 1)
		error = -EIO;
	close(release[1]);
	if (reap(child, &status) || error)
		return true;
	if (!WIFEXITED(status))
		return true;
	/* A kernel without seccomp has no process that could be killed. */
	return WEXITSTATUS(status) == CHILD_NOT_RELEASED;
}
