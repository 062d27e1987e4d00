/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Opening a process: is there one, and is it of a kind that can be traced?
 *
 * The pidfd is taken first and asked again last: a pid is not reused while the
 * process it names is still there, so everything read from /proc in between
 * was about that process.
 */
#include "target/process.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/diag.h"
#include "target/proc_file.h"

#if defined(__x86_64__)
#define MACHINE_NATIVE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE_NATIVE EM_AARCH64
#else
#error "architecture not supported"
#endif

#define PF_KTHREAD		   0x00200000u /* include/linux/sched.h */
#define SECCOMP_MODE_FILTER_STATUS 2
#define COMMAND_LINE_BYTES	   2048
#define THREADS_LOOKED_AT	   65536

bool process_alive(const struct process *p)
{
	struct pollfd wait = {.fd = p->pidfd, .events = POLLIN};

	/* Readable once the last thread has exited (pidfd_open(2)). */
	return p->pidfd >= 0 && poll(&wait, 1, 0) == 0;
}

void process_close(struct process *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
	free(p->command_line);
	p->command_line = NULL;
}

static enum process_refusal refusal_of(int error)
{
	switch (error) {
	case ENOENT:
	case ESRCH:
		return PROCESS_NOT_FOUND;
	case EACCES:
	case EPERM:
		return PROCESS_DENIED;
	default:
		return PROCESS_FAILED;
	}
}

/* A thread id has a /proc directory too, though none that is listed. */
static int check_leader(pid_t pid, enum process_refusal *why)
{
	char status[PROC_STATUS_BYTES];
	uint64_t tgid;
	ssize_t got = proc_read(pid, "status", status, sizeof(status));

	if (got < 0) {
		*why = refusal_of((int)-got);
		return (int)got;
	}
	if (!text_field(status, "Tgid:", &tgid)) {
		*why = PROCESS_FAILED;
		return -EPROTO;
	}
	*why = tgid == (uint64_t)pid ? PROCESS_OK : PROCESS_IS_THREAD;
	return 0;
}

static int check_kind(struct process *p, enum process_refusal *why)
{
	struct proc_stat stat;
	int err = proc_stat_read(p->pid, &stat);

	if (err) {
		*why = refusal_of(-err);
		return err;
	}
	p->start_time_ticks = stat.start_time_ticks;
	if (stat.flags & PF_KTHREAD)
		*why = PROCESS_KERNEL_THREAD;
	else if (stat.state == 'Z' || stat.state == 'X')
		*why = PROCESS_ZOMBIE;
	return 0;
}

/* Class and machine of the program file. O_NONBLOCK: the file is the target's
 * choice and may have a lease on it. */
static int check_machine(const struct process *p, enum process_refusal *why)
{
	CLEANUP_CLOSE int fd = -1;
	Elf64_Ehdr header = {0};
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)p->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0) {
		*why = refusal_of(errno);
		return -errno;
	}
	got = pread(fd, &header, sizeof(header), 0);
	if (got < 0) {
		*why = PROCESS_FAILED;
		return -errno;
	}
	/* A file that was rewritten meanwhile says nothing about the process;
	 * the objects it maps are checked one by one later. */
	if (got < (ssize_t)offsetof(Elf64_Ehdr, e_version) ||
	    memcmp(header.e_ident, ELFMAG, SELFMAG))
		return 0;
	if (header.e_ident[EI_CLASS] != ELFCLASS64)
		*why = PROCESS_32BIT;
	else if (header.e_machine != MACHINE_NATIVE ||
		 header.e_ident[EI_DATA] != ELFDATA2LSB)
		*why = PROCESS_OTHER_ARCH;
	return 0;
}

static void read_comm(struct process *p)
{
	ssize_t got = proc_read(p->pid, "comm", p->comm, sizeof(p->comm));
	size_t size = got < 0 ? 0 : strlen(p->comm);

	if (got < 0)
		p->comm[0] = '\0';
	if (size && p->comm[size - 1] == '\n')
		p->comm[--size] = '\0';
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)p->comm[i] < 0x20 || p->comm[i] == 0x7f)
			p->comm[i] = '?';
}

/* Arguments are separated by NUL; a process may also have overwritten them
 * with a title. Without any, the name in brackets, as ps does. */
static int read_command_line(struct process *p)
{
	char raw[COMMAND_LINE_BYTES + 1];
	size_t escaped_size = 4 * sizeof(raw);
	ssize_t got = proc_read(p->pid, "cmdline", raw, sizeof(raw));
	char *escaped;

	while (got > 0 && (raw[got - 1] == '\0' || raw[got - 1] == ' '))
		got--;
	if (got > 0) {
		for (ssize_t i = 0; i < got; i++)
			if (!raw[i])
				raw[i] = ' ';
		raw[got] = '\0';
	} else {
		snprintf(raw, sizeof(raw), "[%s]", p->comm);
	}
	escaped = malloc(escaped_size);
	if (!escaped)
		return -ENOMEM;
	diag_escape(escaped, escaped_size, raw);
	p->command_line = realloc(escaped, strlen(escaped) + 1);
	if (!p->command_line)
		p->command_line = escaped;
	return 0;
}

void process_rename(struct process *p)
{
	char *before = p->command_line;

	read_comm(p);
	if (read_command_line(p))
		p->command_line = before;
	else
		free(before);
}

static bool thread_filtered(pid_t pid, const char *tid)
{
	char name[64], status[PROC_STATUS_BYTES];
	uint64_t mode;

	snprintf(name, sizeof(name), "task/%.16s/status", tid);
	return proc_read(pid, name, status, sizeof(status)) > 0 &&
	       text_field(status, "Seccomp:", &mode) &&
	       mode == SECCOMP_MODE_FILTER_STATUS;
}

/* Filters are a matter of each thread (seccomp(2)). */
static bool any_thread_filtered(pid_t pid)
{
	bool filtered = false;
	struct dirent *entry;
	char path[64];
	DIR *tasks;
	int left = THREADS_LOOKED_AT;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	tasks = opendir(path);
	if (!tasks)
		return false;
	while (!filtered && left-- > 0 && (entry = readdir(tasks)))
		if (entry->d_name[0] != '.')
			filtered = thread_filtered(pid, entry->d_name);
	closedir(tasks);
	return filtered;
}

static int open_checked(struct process *p, enum process_refusal *why)
{
	int err;

	*why = PROCESS_OK;
	if (p->pid <= 0) {
		*why = PROCESS_NOT_FOUND;
		return -ESRCH;
	}
	err = check_leader(p->pid, why);
	if (err || *why != PROCESS_OK)
		return err;
	p->pidfd = (int)syscall(SYS_pidfd_open, p->pid, 0);
	if (p->pidfd < 0) {
		*why = refusal_of(errno);
		return -errno;
	}
	err = check_kind(p, why);
	if (err || *why != PROCESS_OK)
		return err;
	err = check_machine(p, why);
	if (err || *why != PROCESS_OK)
		return err;
	read_comm(p);
	err = read_command_line(p);
	if (err) {
		*why = PROCESS_FAILED;
		return err;
	}
	p->seccomp_filter = any_thread_filtered(p->pid);
	if (!process_alive(p)) {
		*why = PROCESS_NOT_FOUND;
		return -ESRCH;
	}
	return 0;
}

enum process_refusal process_open(struct process *p, pid_t pid, int *error_out)
{
	enum process_refusal why;
	int err;

	*p = (struct process){.pid = pid, .pidfd = -1};
	err = open_checked(p, &why);
	*error_out = -err;
	if (why != PROCESS_OK)
		process_close(p);
	return why;
}

uint64_t process_cpu_ns(const struct process *p)
{
	struct timespec used;
	clockid_t clock;

	if (!process_alive(p) || clock_getcpuclockid(p->pid, &clock) ||
	    clock_gettime(clock, &used))
		return 0;
	return (uint64_t)used.tv_sec * 1000000000 + (uint64_t)used.tv_nsec;
}

void process_refusal_text(enum process_refusal why, pid_t pid, int error,
			  char *text, size_t text_size)
{
	int n = (int)pid;

	switch (why) {
	case PROCESS_OK:
		snprintf(text, text_size, "process %d can be traced", n);
		return;
	case PROCESS_NOT_FOUND:
		snprintf(
			text, text_size,
			"there is no process %d (any more); find the right one "
			"with 'pgrep -a NAME'",
			n);
		return;
	case PROCESS_KERNEL_THREAD:
		snprintf(
			text, text_size,
			"%d is a kernel thread: it has no heap; give a process "
			"that runs a program",
			n);
		return;
	case PROCESS_ZOMBIE:
		snprintf(text, text_size,
			 "process %d is a zombie: it has ended, or its main "
			 "thread has; give a process that is running",
			 n);
		return;
	case PROCESS_32BIT:
		snprintf(text, text_size,
			 "process %d runs a 32-bit program: only 64-bit "
			 "programs are supported; trace a 64-bit build of it",
			 n);
		return;
	case PROCESS_OTHER_ARCH:
		snprintf(
			text, text_size,
			"process %d runs a program for another processor: only "
			"this machine's own kind is supported",
			n);
		return;
	case PROCESS_DENIED:
		snprintf(text, text_size,
			 "process %d may not be examined (%s): run leakbpf as "
			 "root or with CAP_SYS_PTRACE and "
			 "CAP_DAC_READ_SEARCH",
			 n, strerror(error));
		return;
	case PROCESS_IS_THREAD:
		snprintf(
			text, text_size,
			"%d is a thread, not a process; give the process's id: "
			"'grep Tgid /proc/%d/status' shows it",
			n, n);
		return;
	case PROCESS_FAILED:
		break;
	}
	snprintf(text, text_size, "process %d cannot be examined: %s", n,
		 strerror(error));
}
