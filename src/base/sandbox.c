/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/sandbox.h"

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

#define KEEP_MAX 8
/* Above all places that kept descriptors move to. */
#define OUT_OF_THE_WAY 64

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

static int move_files(const int *keep, size_t count)
{
	int copies[KEEP_MAX];

	for (size_t i = 0; i < count; i++) {
		copies[i] = fcntl(keep[i], F_DUPFD, OUT_OF_THE_WAY);
		if (copies[i] < 0)
			return -errno;
	}
	for (size_t i = 0; i < count; i++)
		if (dup2(copies[i], SANDBOX_FIRST_KEPT + (int)i) < 0)
			return -errno;
	return 0;
}

int sandbox_keep_files(const int *keep, size_t count)
{
	int err, null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0)
		return -errno;
	if (count > KEEP_MAX)
		return -EINVAL;
	/* Sanitizers report on standard error. */
	for (int fd = 0; fd < (SANITIZED ? 2 : 3); fd++)
		if (dup2(null, fd) < 0)
			return -errno;
	err = move_files(keep, count);
	if (!err)
		close_from(SANDBOX_FIRST_KEPT + (unsigned)count);
	return err;
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

bool sandbox_can_drop_privileges(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3] = {0};
	const uint32_t needed = 1u << CAP_SETUID | 1u << CAP_SETGID;

	if (geteuid() != 0 || syscall(SYS_capget, &head, have))
		return true;
	return (have[0].effective & needed) == needed;
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

int sandbox_limit(unsigned cpu_seconds, uint64_t address_space_bytes,
		  uint64_t heap_bytes)
{
	int err = limit(RLIMIT_CORE, 0);

	if (!err && cpu_seconds)
		err = limit(RLIMIT_CPU, cpu_seconds);
	if (!err && !SANITIZED)
		err = limit(RLIMIT_AS, address_space_bytes);
	if (!err && !SANITIZED)
		err = limit(RLIMIT_DATA, heap_bytes);
	return err;
}

#if defined(__x86_64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define AUDIT_ARCH_HERE AUDIT_ARCH_AARCH64
#else
#error "which AUDIT_ARCH?"
#endif

/* What every process needs that computes, and ends. */
static const int always_allowed[] = {
	SYS_brk,	   SYS_mmap,	SYS_munmap,	  SYS_mremap,
	SYS_mprotect,	   SYS_madvise, SYS_futex,	  SYS_getrandom,
	SYS_clock_gettime, SYS_close,	SYS_fcntl,	  SYS_fstat,
	SYS_newfstatat, /* how libc spells fstat */
	SYS_sysinfo,	/* qsort asks how much memory there is */
	SYS_recvmsg,	   SYS_sendmsg, SYS_rt_sigreturn, SYS_restart_syscall,
	SYS_exit_group,
};

static const int refused[] = {
	SYS_openat, SYS_readlinkat,
#ifdef SYS_open
	SYS_open,   SYS_stat,	    SYS_lstat, SYS_readlink, SYS_access,
#endif
};

#define RULES_MAX   128
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

struct rules {
	struct sock_filter code[RULES_MAX];
	size_t count;
};

static void add(struct rules *r, struct sock_filter rule)
{
	if (r->count < RULES_MAX)
		r->code[r->count] = rule;
	r->count++;
}

static void add_calls(struct rules *r, const int *numbers, size_t count,
		      uint32_t action)
{
	for (size_t i = 0; i < count; i++) {
		add(r,
		    (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						 (uint32_t)numbers[i], 0, 1));
		add(r, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
	}
}

static void add_load(struct rules *r, uint32_t offset)
{
	add(r, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

int sandbox_filter(const int *allowed, size_t count)
{
	struct rules r = {.count = 0};
	struct sock_fprog program = {.filter = r.code};

	add_load(&r, offsetof(struct seccomp_data, arch));
	add(&r, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					     AUDIT_ARCH_HERE, 1, 0));
	add(&r, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					     SECCOMP_RET_KILL_PROCESS));
	/* x32 calls have numbers of their own, beyond all these. */
	add_load(&r, offsetof(struct seccomp_data, nr));
	add_calls(&r, always_allowed, COUNT(always_allowed), SECCOMP_RET_ALLOW);
	add_calls(&r, allowed, count, SECCOMP_RET_ALLOW);
	add_calls(&r, refused, COUNT(refused), SECCOMP_RET_ERRNO | EACCES);
	add(&r, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
					     SECCOMP_RET_KILL_PROCESS));
	if (r.count > RULES_MAX)
		return -E2BIG;
	program.len = (unsigned short)r.count;
	if (SANITIZED)
		return 0;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) ? -errno
								    : 0;
}
