/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/proc_file.h"
#include "target/process.h"
#include "target/process_cgroup.h"

static void expect_refusal(pid_t pid, enum process_refusal expected,
			   const char *words)
{
	struct process p;
	char text[256];
	int error;
	enum process_refusal seen = process_open(&p, pid, &error);

	if (seen == PROCESS_OK)
		process_close(&p);
	if (seen != expected)
		fail_msg("process %d: expected refusal %d, seen %d (%s)", pid,
			 expected, seen, strerror(error));
	assert_int_equal(p.pidfd, -1);
	process_refusal_text(seen, pid, error, text, sizeof(text));
	if (!strstr(text, words) || strchr(text, '\n'))
		fail_msg("expected one line with \"%s\", seen \"%s\"", words,
			 text);
}

/* A child that does `setup`, says so, and waits to be killed. */
static pid_t start_child(void (*setup)(void))
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setup)
			setup();
		if (write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static void end_child(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void opens_this_process(void **state)
{
	struct proc_stat stat;
	struct process p;
	int error = -1;

	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	assert_int_equal(error, 0);
	assert_int_equal(p.pid, getpid());
	assert_true(process_alive(&p));
	assert_int_equal(proc_stat_read(getpid(), &stat), 0);
	assert_int_equal(p.start_time_ticks, stat.start_time_ticks);
	assert_true(p.start_time_ticks > 0);
	assert_string_equal(p.comm, "process_test");
	assert_non_null(strstr(p.command_line, "process_test"));
	process_close(&p);
	assert_false(process_alive(&p));
}

static void refuses_a_pid_that_does_not_exist(void **state)
{
	pid_t child = fork();

	if (!child)
		_exit(0);
	assert_true(child > 0);
	waitpid(child, NULL, 0);
	expect_refusal(child, PROCESS_NOT_FOUND, "no process");
	expect_refusal(0, PROCESS_NOT_FOUND, "no process");
	expect_refusal(-5, PROCESS_NOT_FOUND, "no process");
	expect_refusal(INT32_MAX, PROCESS_NOT_FOUND, "no process");
}

static void refuses_a_kernel_thread(void **state)
{
	struct proc_stat stat;

	/* kthreadd; not to be seen from inside a pid namespace. */
	if (proc_stat_read(2, &stat) || !(stat.flags & 0x00200000))
		skip();
	expect_refusal(2, PROCESS_KERNEL_THREAD, "kernel thread");
}

static void refuses_a_zombie(void **state)
{
	siginfo_t info;
	pid_t child = fork();

	if (!child)
		_exit(0);
	assert_true(child > 0);
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT),
			 0);
	expect_refusal(child, PROCESS_ZOMBIE, "zombie");
	waitpid(child, NULL, 0);
}

struct thread_id {
	_Atomic pid_t tid;
	_Atomic bool stop;
};

static void *idle_thread(void *context)
{
	struct thread_id *t = context;

	t->tid = (pid_t)syscall(SYS_gettid);
	while (!t->stop)
		usleep(1000);
	return NULL;
}

static void refuses_a_thread_id(void **state)
{
	struct thread_id t = {0};
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, idle_thread, &t), 0);
	while (!t.tid)
		usleep(1000);
	expect_refusal(t.tid, PROCESS_IS_THREAD, "is a thread");
	t.stop = true;
	pthread_join(thread, NULL);
}

/* A program with the smallest possible ELF header: pause() in a loop. The
 * kernel runs 32-bit x86 only with CONFIG_IA32_EMULATION. */
static void refuses_a_32_bit_program(void **state)
{
	static const uint8_t image[] = {
		0x7f, 'E', 'L', 'F', 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		/* ET_EXEC, EM_386, version, entry, phoff, shoff, flags */
		2, 0, 3, 0, 1, 0, 0, 0, 0x54, 0x80, 0x04, 0x08, 52, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 52, 0, 32, 0, 1, 0, 40, 0, 0, 0, 0, 0,
		/* PT_LOAD of the whole file at 0x08048000, r-x */
		1, 0, 0, 0, 0, 0, 0, 0, 0x00, 0x80, 0x04, 0x08, 0x00, 0x80,
		0x04, 0x08, 0x5d, 0, 0, 0, 0x5d, 0, 0, 0, 5, 0, 0, 0, 0, 0x10,
		0, 0,
		/* mov $29 (pause), %eax; int $0x80; jmp back */
		0xb8, 29, 0, 0, 0, 0xcd, 0x80, 0xeb, 0xf7};
	char path[] = "/tmp/process_test.XXXXXX";
	int fd = mkstemp(path), status = 0;
	pid_t child;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, image, sizeof(image)), sizeof(image));
	fchmod(fd, 0700);
	close(fd);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl(path, path, NULL);
		_exit(126);
	}
	usleep(100000);
	unlink(path);
	if (waitpid(child, &status, WNOHANG) == child)
		skip(); /* this kernel does not run such programs */
	expect_refusal(child, PROCESS_32BIT, "32-bit");
	end_child(child);
}

static void notices_that_a_process_ends(void **state)
{
	struct process_memory memory;
	pid_t child = start_child(NULL);
	struct process p;
	char byte;
	int error;

	assert_int_equal(process_open(&p, child, &error), PROCESS_OK);
	assert_true(process_alive(&p));
	assert_int_equal(process_memory(&p, &memory), 0);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(process_alive(&p));
	assert_int_equal(process_memory(&p, &memory), -ESRCH);
	assert_int_equal(process_read(&p, (uintptr_t)&byte, &byte, 1), -ESRCH);
	assert_int_equal(process_cpu_ns(&p), 0);
	process_close(&p);
}

static void rename_hostile(void)
{
	prctl(PR_SET_NAME, "a) Z 1\n\033[31m");
}

static void reads_hostile_names(void **state)
{
	pid_t child = start_child(rename_hostile);
	struct process p;
	int error;

	assert_int_equal(process_open(&p, child, &error), PROCESS_OK);
	assert_string_equal(p.comm, "a) Z 1??[31m");
	for (const char *c = p.command_line; *c; c++)
		assert_true((unsigned char)*c >= 0x20);
	assert_true(p.start_time_ticks > 0);
	process_close(&p);
	end_child(child);
}

static void escapes_and_joins_the_command_line(void **state)
{
	int error, ready[2];
	struct process p;
	pid_t child;
	char byte;

	assert_int_equal(pipe(ready), 0);
	child = fork();
	assert_true(child >= 0);
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ready[1], 1);
		execlp("sh", "sh", "-c", "echo; read x </dev/zero", "tab\there",
		       "", "last", NULL);
		_exit(127);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(process_open(&p, child, &error), PROCESS_OK);
	assert_string_equal(p.command_line,
			    "sh -c echo; read x </dev/zero tab\\x09here  last");
	process_close(&p);
	end_child(child);
	close(ready[0]);
	close(ready[1]);
}

static void *filtered_thread(void *context)
{
	struct sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = {.len = 1, .filter = &allow};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		_exit(1);
	*(_Atomic int *)context = 1;
	for (;;)
		pause();
}

static void filter_one_thread(void)
{
	static _Atomic int done;
	pthread_t thread;

	pthread_create(&thread, NULL, filtered_thread, (void *)&done);
	while (!done)
		usleep(1000);
}

static void sees_a_seccomp_filter_of_any_thread(void **state)
{
	pid_t plain = start_child(NULL), filtered;
	struct process p;
	uint64_t mode;
	char status[PROC_STATUS_BYTES];
	int error;

	/* Whoever runs this test may be filtered: then so are all children. */
	assert_true(proc_read(plain, "status", status, sizeof(status)) > 0);
	assert_true(text_field(status, "Seccomp:", &mode));
	assert_int_equal(process_open(&p, plain, &error), PROCESS_OK);
	assert_int_equal(p.seccomp_filter, mode == 2);
	process_close(&p);
	end_child(plain);
	filtered = start_child(filter_one_thread);
	assert_int_equal(process_open(&p, filtered, &error), PROCESS_OK);
	assert_true(p.seccomp_filter);
	process_close(&p);
	end_child(filtered);
}

static void measures_memory(void **state)
{
	size_t size = 32 << 20;
	struct process_memory before, after;
	struct process p;
	int error;
	char *block;

	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	assert_int_equal(process_memory(&p, &before), 0);
	block = mmap(NULL, size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(block != MAP_FAILED);
	memset(block, 1, size);
	assert_int_equal(process_memory(&p, &after), 0);
	assert_in_range(after.rss_anon_bytes - before.rss_anon_bytes,
			size - (4 << 20), size + (4 << 20));
	assert_in_range(after.rss_bytes - before.rss_bytes, size - (4 << 20),
			size + (4 << 20));
	assert_in_range(after.vm_bytes - before.vm_bytes, size - (4 << 20),
			size + (4 << 20));
	munmap(block, size);
	process_close(&p);
}

static void reads_memory_up_to_a_hole(void **state)
{
	char copy[8192];
	struct process p;
	int error;
	char *at;

	at = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(at != MAP_FAILED);
	memset(at, 'z', 4096);
	munmap(at + 4096, 4096);
	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	assert_int_equal(process_read(&p, (uintptr_t)at, copy, 100), 100);
	assert_int_equal(copy[99], 'z');
	assert_int_equal(process_read(&p, (uintptr_t)at, copy, 8192), 4096);
	assert_int_equal(process_read(&p, (uintptr_t)at + 4096, copy, 1),
			 -EFAULT);
	munmap(at, 4096);
	process_close(&p);
}

static void counts_cpu_time(void **state)
{
	struct process p;
	uint64_t start;
	int error;

	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	start = process_cpu_ns(&p);
	for (volatile int i = 0; process_cpu_ns(&p) < start + 50000000; i++)
		if (i > 10000000)
			fail_msg("CPU time stands still at %llu ns",
				 (unsigned long long)process_cpu_ns(&p));
	process_close(&p);
}

static void limit_address_space(void)
{
	struct rlimit limit = {.rlim_cur = 1ULL << 30, .rlim_max = 1ULL << 30};

	setrlimit(RLIMIT_AS, &limit);
}

static void limit_data(void)
{
	struct rlimit limit = {.rlim_cur = 256 << 20, .rlim_max = 256 << 20};

	setrlimit(RLIMIT_DATA, &limit);
}

static uint64_t room_of_child(void (*setup)(void))
{
	pid_t child = start_child(setup);
	struct process p;
	uint64_t room;
	int error;

	assert_int_equal(process_open(&p, child, &error), PROCESS_OK);
	room = process_allocation_room(&p);
	process_close(&p);
	end_child(child);
	return room;
}

static void takes_the_smallest_limit_as_room(void **state)
{
	uint64_t free_room = room_of_child(NULL);

	assert_true(free_room > 0);
	assert_true(free_room < 1ULL << 46); /* RAM + swap, not "unlimited" */
	if (free_room > 1ULL << 30) {
		uint64_t room = room_of_child(limit_address_space);

		/* Sanitizers reserve more than that beforehand. */
		assert_true(room <= (1ULL << 30) / 4 * 3);
	}
	if (free_room > 256 << 20)
		assert_true(room_of_child(limit_data) <= (256 << 20) / 4 * 3);
}

static void opens_a_deleted_mapped_file(void **state)
{
	char path[] = "/tmp/process_test.XXXXXX", text[8] = "";
	const struct mapping *found;
	int fd = mkstemp(path), error, opened;
	struct process p;
	struct maps m;
	void *at;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "content", 7), 7);
	at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_true(at != MAP_FAILED);
	close(fd);
	unlink(path);
	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	assert_int_equal(maps_read(&m, getpid(), false), 0);
	found = maps_find(&m, (uintptr_t)at);
	assert_non_null(found);
	assert_true(found->deleted);
	opened = process_open_mapping(&p, found);
	assert_true(opened >= 0);
	assert_int_equal(read(opened, text, 7), 7);
	assert_string_equal(text, "content");
	close(opened);
	maps_free(&m);
	munmap(at, 4096);
	process_close(&p);
}

/* Without map_files (a range that no longer exists) the path is tried, and
 * must lead to the same file. */
static void opens_by_path_only_the_same_file(void **state)
{
	char path[] = "/tmp/process_test.XXXXXX (deleted)";
	int error, opened, fd = mkstemps(path, 10);
	struct process p;
	struct stat st;
	struct mapping m = {.start = 0x1000, .end = 0x2000, .path = path};

	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	m.device = st.st_dev;
	m.inode = st.st_ino;
	assert_int_equal(process_open(&p, getpid(), &error), PROCESS_OK);
	opened = process_open_mapping(&p, &m);
	assert_true(opened >= 0);
	close(opened);
	/* As maps_parse shows a file that really has this name. */
	path[strlen(path) - 10] = '\0';
	m.deleted = true;
	opened = process_open_mapping(&p, &m);
	assert_true(opened >= 0);
	close(opened);
	strcat(path, " (deleted)");
	m.deleted = false;
	m.inode++;
	assert_int_equal(process_open_mapping(&p, &m), -ESTALE);
	m.path = (char *)"/dev/null";
	assert_int_equal(process_open_mapping(&p, &m), -EINVAL);
	m.path = (char *)"/proc/self/exe"; /* a magic link */
	assert_true(process_open_mapping(&p, &m) < 0);
	m.path = (char *)"[vdso]";
	assert_int_equal(process_open_mapping(&p, &m), -ENOENT);
	unlink(path);
	close(fd);
	process_close(&p);
}

static void parses_stat_with_a_hostile_name(void **state)
{
	struct proc_stat s;

	assert_int_equal(
		proc_stat_parse("7 (x) Z (y)) S 1 7 7 0 -1 4194304 1 2 3 4 11 "
				"22 0 0 20 0 1 0 987654 1 2 3",
				&s),
		0);
	assert_int_equal(s.state, 'S');
	assert_int_equal(s.flags, 4194304);
	assert_int_equal(s.user_ticks, 11);
	assert_int_equal(s.system_ticks, 22);
	assert_int_equal(s.start_time_ticks, 987654);
	assert_int_equal(proc_stat_parse("7 (x) S 1 7", &s), -EINVAL);
	assert_int_equal(proc_stat_parse("", &s), -EINVAL);
}

static void finds_cgroup_mounts_and_paths(void **state)
{
	static struct cgroup_mount m;
	char path[64];

	assert_true(
		cgroup_mount_parse("30 24 0:26 / /sys/fs/cgroup rw shared:9 "
				   "- cgroup2 cgroup2 rw,nsdelegate",
				   &m));
	assert_true(m.v2);
	assert_string_equal(m.point, "/sys/fs/cgroup");
	assert_true(cgroup_mount_parse("33 24 0:29 /docker/x /a\\040b rw - "
				       "cgroup cgroup rw,cpu,memory",
				       &m));
	assert_false(m.v2);
	assert_string_equal(m.root, "/docker/x");
	assert_string_equal(m.point, "/a b");
	assert_false(cgroup_mount_parse("33 24 0:29 / /x rw - cgroup cgroup "
					"rw,memoryless",
					&m));
	assert_false(cgroup_mount_parse("33 24 0:29 / /x rw - ext4 a rw", &m));
	assert_true(cgroup_path_parse("9:name=systemd:/a\n4:cpu,memory:/b:c\n"
				      "0::/d\n",
				      false, path, sizeof(path)));
	assert_string_equal(path, "/b:c");
	assert_true(cgroup_path_parse("4:memory:/b\n0::/d", true, path,
				      sizeof(path)));
	assert_string_equal(path, "/d");
	assert_false(
		cgroup_path_parse("4:memory:/b\n", true, path, sizeof(path)));
	assert_false(
		cgroup_path_parse("garbage\n::\n:", false, path, sizeof(path)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_this_process),
		cmocka_unit_test(refuses_a_pid_that_does_not_exist),
		cmocka_unit_test(refuses_a_kernel_thread),
		cmocka_unit_test(refuses_a_zombie),
		cmocka_unit_test(refuses_a_thread_id),
		cmocka_unit_test(refuses_a_32_bit_program),
		cmocka_unit_test(notices_that_a_process_ends),
		cmocka_unit_test(reads_hostile_names),
		cmocka_unit_test(escapes_and_joins_the_command_line),
		cmocka_unit_test(sees_a_seccomp_filter_of_any_thread),
		cmocka_unit_test(measures_memory),
		cmocka_unit_test(reads_memory_up_to_a_hole),
		cmocka_unit_test(counts_cpu_time),
		cmocka_unit_test(takes_the_smallest_limit_as_room),
		cmocka_unit_test(opens_a_deleted_mapped_file),
		cmocka_unit_test(opens_by_path_only_the_same_file),
		cmocka_unit_test(parses_stat_with_a_hostile_name),
		cmocka_unit_test(finds_cgroup_mounts_and_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
