/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sanitizers map terabytes of shadow and make system calls of their own: such
 * a build checks the code, not the sandbox. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define NOBODY 65534

/* Files are mapped privately and read-only (RLIMIT_AS); what is computed from
 * them is the heap (RLIMIT_DATA counts private writable memory). */
#define ADDRESS_SPACE_MAX (8ULL << 30)
#define HEAP_MAX	  (1ULL << 30)

static void close_from(unsigned first)
{
	/* Since Linux 5.9. */
	if (!syscall(SYS_close_range, first, ~0U, 0))
		return;
	long limit = sysconf(_SC_OPEN_MAX);
	if (limit < 0 || limit > 65536)
		limit = 65536;
	for (int fd = (int)first; fd < limit; fd++)
		close(fd);
}

int sandbox_close_files(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	/* Sanitizers report on standard error. */
	for (int fd = 0; fd < (SANITIZED ? 2 : 3); fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	if (keep != 3 && dup2(keep, 3) < 0)
		return -errno;
	close_from(4);
	return 3;
}

/* What a later exec could give. Needs CAP_SETPCAP, so it goes first. */
static void drop_bounding_set(void)
{
	for (int cap = 0; cap < 64; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
}

static int drop_capabilities(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &head, none) ? -errno : 0;
}

static int become_nobody(void)
{
	if (geteuid() != 0)
		return 0; /* file capabilities: there is no root to leave */
	/* In a user namespace the id may not be mapped (EINVAL) or setgroups
	 * denied (EPERM); that root is worth nothing without capabilities. */
	if (setgroups(0, NULL) && errno != EPERM)
		return -errno;
	if (setresgid(NOBODY, NOBODY, NOBODY) && errno != EINVAL)
		return -errno;
	if (setresuid(NOBODY, NOBODY, NOBODY) && errno != EINVAL)
		return -errno;
	return 0;
}

int sandbox_drop_privileges(void)
{
	int err;

	drop_bounding_set();
	err = become_nobody();
	if (!err)
		err = drop_capabilities();
	if (err)
		return err;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

static int limit(int what, uint64_t value)
{
	struct rlimit l = {value, value}, now;

	if (!getrlimit(what, &now) && now.rlim_max < value)
		l.rlim_cur = l.rlim_max = now.rlim_max;
	return setrlimit(what, &l) ? -errno : 0;
}

static int set_limits(unsigned cpu_seconds)
{
	int err = limit(RLIMIT_CORE, 0);

	if (!err)
		err = limit(RLIMIT_CPU, cpu_seconds);
	if (!err && !SANITIZED)
		err = limit(RLIMIT_AS, ADDRESS_SPACE_MAX);
	if (!err && !SANITIZED)
		err = limit(RLIMIT_DATA, HEAP_MAX);
	return err;
}

#if defined(__x86_64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH?"
#endif

#define LOAD(field)                                                            \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
#define ON(number, action)                                                     \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##number, 0, 1), RETURN(action)
#define ALLOW(number) ON(number, SECCOMP_RET_ALLOW)
/* libdw tries to open files by name and copes with failure. */
#define REFUSE(number) ON(number, SECCOMP_RET_ERRNO | EACCES)

static int install_filter(void)
{
	struct sock_filter code[] = {
		LOAD(arch),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_HERE, 1, 0),
		RETURN(SECCOMP_RET_KILL_PROCESS),
		/* x32 calls have numbers of their own, beyond all these. */
		LOAD(nr),
		ALLOW(read),
		ALLOW(pread64),
		ALLOW(lseek),
		ALLOW(fstat),
		ALLOW(newfstatat), /* how libc spells fstat */
		ALLOW(fcntl),
		ALLOW(close),
		ALLOW(brk),
		ALLOW(mmap),
		ALLOW(munmap),
		ALLOW(mremap),
		ALLOW(mprotect),
		ALLOW(madvise),
		ALLOW(futex),
		ALLOW(getrandom),
		ALLOW(clock_gettime),
		ALLOW(sysinfo), /* qsort asks how much memory there is */
		ALLOW(recvmsg),
		ALLOW(sendmsg),
		ALLOW(rt_sigreturn),
		ALLOW(restart_syscall),
		ALLOW(exit_group),
		REFUSE(openat),
		REFUSE(readlinkat),
#ifdef SYS_open
		REFUSE(open),
		REFUSE(stat),
		REFUSE(lstat),
		REFUSE(readlink),
		REFUSE(access),
#endif
		RETURN(SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog program = {
		.len = sizeof(code) / sizeof(code[0]),
		.filter = code,
	};

	if (SANITIZED)
		return 0;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno
								    : 0;
}

int sandbox_confine(unsigned cpu_seconds)
{
	int err = set_limits(cpu_seconds);

	return err ? err : install_filter();
}
