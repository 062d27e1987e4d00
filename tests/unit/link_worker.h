/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A process to probe: this test's own executable, run again with --worker. It
 * calls `worker_target` when told to, from whichever thread or child it is
 * told to, so that the tests know exactly which hits there were.
 */
#ifndef TESTS_LINK_WORKER_H
#define TESTS_LINK_WORKER_H

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Returns its own return address, as a return probe may have replaced it. */
/* clang-format off */
__asm__(
	".pushsection .text\n"
	".balign 16\n"
	".globl worker_target\n"
	".hidden worker_target\n"
	".type worker_target, %function\n"
	"worker_target:\n"
#if defined(__x86_64__)
	"push %rbp\n"
	"mov 8(%rsp), %rax\n"
	"pop %rbp\n"
#elif defined(__aarch64__)
	"b 1f\n"
	"1: mov x0, x30\n"
#endif
	"ret\n"
	".popsection\n");
/* clang-format on */
extern uintptr_t worker_target(void) __attribute__((visibility("hidden")));

enum worker_operation {
	CALL_IN_MAIN = 1,
	CALL_IN_OLD_THREAD,  /* it was there before the probes */
	CALL_IN_NEW_THREADS, /* WORKER_THREADS of them, made for it */
	CALL_IN_FORK_CHILD,
	CALL_IN_VFORK_CHILD,
	/* Whether a return address is left alone, in a child made by fork. */
	SEE_RETURN_ADDRESS_IN_FORK_CHILD,
	LEAVE_FORK_CHILD, /* one that stays, until the worker ends: its pid */
};

#define WORKER_THREADS 4

struct worker_request {
	int32_t operation;
	int32_t calls;
};

/* ---- In the worker ------------------------------------------------------- */

struct worker_state {
	int to_thread, from_thread; /* pipe ends, to the old thread */
	int thread_in, thread_out;
	uintptr_t usual_return;
};

static __attribute__((noinline)) uintptr_t worker_call(int calls)
{
	uintptr_t seen = 0;

	for (int i = 0; i < calls; i++)
		seen = worker_target();
	return seen;
}

static void *worker_new_thread(void *calls)
{
	worker_call(*(int *)calls);
	return NULL;
}

static void *worker_old_thread(void *context)
{
	struct worker_state *w = context;
	int calls;

	while (read(w->thread_in, &calls, sizeof(calls)) == sizeof(calls)) {
		worker_call(calls);
		if (write(w->thread_out, &calls, sizeof(calls)) < 0)
			break;
	}
	return NULL;
}

static int64_t worker_call_in_threads(int calls)
{
	pthread_t threads[WORKER_THREADS];

	for (int i = 0; i < WORKER_THREADS; i++)
		if (pthread_create(&threads[i], NULL, worker_new_thread,
				   &calls))
			return -1;
	for (int i = 0; i < WORKER_THREADS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static int64_t worker_call_in_child(const struct worker_state *w, int calls)
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(worker_call(calls) == w->usual_return ? 0 : 1);
	if (child < 0 || waitpid(child, &status, 0) != child ||
	    !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static int64_t worker_leave_child(void)
{
	pid_t child = fork();

	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return child;
}

static int worker_vfork_child(void *calls)
{
	worker_call(*(int *)calls);
	return 0;
}

static int64_t worker_call_in_vfork_child(int calls)
{
	static char stack[64 * 1024] __attribute__((aligned(16)));
	pid_t child = clone(worker_vfork_child, stack + sizeof(stack),
			    CLONE_VM | CLONE_VFORK | SIGCHLD, &calls);

	return child > 0 && waitpid(child, NULL, 0) == child ? 0 : -1;
}

static int64_t worker_do(struct worker_state *w, struct worker_request r)
{
	switch (r.operation) {
	case CALL_IN_MAIN:
		worker_call(r.calls);
		return 0;
	case CALL_IN_OLD_THREAD:
		if (write(w->to_thread, &r.calls, sizeof(r.calls)) < 0)
			return -1;
		return read(w->from_thread, &r.calls, sizeof(r.calls)) < 0;
	case CALL_IN_NEW_THREADS:
		return worker_call_in_threads(r.calls);
	case CALL_IN_FORK_CHILD:
		return worker_call_in_child(w, r.calls) < 0 ? -1 : 0;
	case CALL_IN_VFORK_CHILD:
		return worker_call_in_vfork_child(r.calls);
	case SEE_RETURN_ADDRESS_IN_FORK_CHILD:
		return worker_call_in_child(w, r.calls);
	case LEAVE_FORK_CHILD:
		return worker_leave_child();
	default:
		return -1;
	}
}

/* Requests on standard input, answers on standard output, until it closes. */
static int worker_main(void)
{
	struct worker_request request;
	struct worker_state w;
	int there[2], back[2];
	pthread_t thread;
	int64_t answer = (int64_t)(uintptr_t)worker_target;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (pipe(there) || pipe(back))
		return 1;
	w = (struct worker_state){
		.to_thread = there[1],
		.from_thread = back[0],
		.thread_in = there[0],
		.thread_out = back[1],
		.usual_return = worker_call(1),
	};
	if (pthread_create(&thread, NULL, worker_old_thread, &w))
		return 1;
	/* The first answer says: I am there, and this is the function. */
	while (write(STDOUT_FILENO, &answer, sizeof(answer)) ==
		       sizeof(answer) &&
	       read(STDIN_FILENO, &request, sizeof(request)) == sizeof(request))
		answer = worker_do(&w, request);
	_exit(0);
}

/* ---- In the test --------------------------------------------------------- */

struct worker {
	pid_t pid;
	int to, from;
	int executable;	  /* opened through /proc/PID/exe */
	uintptr_t target; /* address of worker_target in it */
};

static int copy_own_executable(const char *to)
{
	int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	ssize_t n = -1;

	while (in >= 0 && out >= 0 &&
	       (n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return n == 0 ? 0 : -1;
}

/* In the child: a file that exists only in this process's mount namespace. */
static int hide_executable(const char *directory, char *path, size_t size)
{
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("none", directory, "tmpfs", 0, NULL))
		return -1;
	snprintf(path, size, "%s/worker", directory);
	return copy_own_executable(path);
}

static int worker_ask(const struct worker *w, int operation, int calls)
{
	struct worker_request r = {.operation = operation, .calls = calls};
	int64_t answer;

	if (write(w->to, &r, sizeof(r)) != sizeof(r) ||
	    read(w->from, &answer, sizeof(answer)) != sizeof(answer))
		return -1;
	return (int)answer;
}

/* Runs `path`; with `hidden_in`, a copy that only the worker can see there. */
static int worker_start(struct worker *w, const char *path,
			const char *hidden_in)
{
	int there[2], back[2];
	char link[64], hidden[128];
	int64_t target;

	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC))
		return -1;
	w->pid = fork();
	if (!w->pid) {
		dup2(there[0], STDIN_FILENO);
		dup2(back[1], STDOUT_FILENO);
		if (hidden_in &&
		    hide_executable(hidden_in, hidden, sizeof(hidden)))
			_exit(1);
		execl(hidden_in ? hidden : path, "worker", "--worker", NULL);
		_exit(1);
	}
	close(there[0]);
	close(back[1]);
	w->to = there[1];
	w->from = back[0];
	if (w->pid < 0 ||
	    read(w->from, &target, sizeof(target)) != sizeof(target))
		return -1;
	w->target = (uintptr_t)target;
	snprintf(link, sizeof(link), "/proc/%d/exe", (int)w->pid);
	w->executable = open(link, O_RDONLY | O_CLOEXEC);
	return w->executable < 0 ? -1 : 0;
}

static void worker_kill(struct worker *w)
{
	if (w->pid > 0) {
		kill(w->pid, SIGKILL);
		waitpid(w->pid, NULL, 0);
	}
	w->pid = 0;
}

static void worker_stop(struct worker *w)
{
	worker_kill(w);
	close(w->to);
	close(w->from);
	close(w->executable);
}

/* The first byte of a function as it now stands in the worker's memory. */
static int worker_byte_of(const struct worker *w, void (*function)(void))
{
	uintptr_t address =
		(uintptr_t)function - (uintptr_t)worker_target + w->target;
	char path[64];
	unsigned char byte;
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/mem", (int)w->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	n = pread(fd, &byte, 1, (off_t)address);
	close(fd);
	return n == 1 ? byte : -1;
}

static int worker_first_byte(const struct worker *w)
{
	return worker_byte_of(w, (void (*)(void))worker_target);
}

#endif
