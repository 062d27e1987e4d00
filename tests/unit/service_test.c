/* SPDX-License-Identifier: GPL-2.0-only */
/* What makes a service of a program: pid file, record of the last run, word to
 * the service manager. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "service/last_run.h"
#include "service/notify.h"
#include "service/pid_file.h"

static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/service-test-XXXXXX");
	diag_set_level(-1); /* errors are expected */
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	return rmdir(folder);
}

static const char *in_folder(const char *name)
{
	static char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *path, const void *text, size_t size)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static void expect_content(const char *path, const char *expected)
{
	char seen[256] = "";
	FILE *f = fopen(path, "re");

	assert_non_null(f);
	(void)!fread(seen, 1, sizeof(seen) - 1, f);
	fclose(f);
	assert_string_equal(seen, expected);
}

/* ---- Pid file ------------------------------------------------------------ */

/* What another process gets. */
static int open_elsewhere(const char *path)
{
	struct pid_file p;
	int status;
	pid_t child = fork();

	if (!child)
		_exit(-pid_file_open(&p, path)); /* left locked, and there */
	assert_int_equal(waitpid(child, &status, 0), child);
	return -WEXITSTATUS(status);
}

static void one_instance_per_pid_file(void **state)
{
	const char *path = in_folder("pid");
	struct pid_file p;
	char expected[16];

	assert_int_equal(pid_file_open(&p, path), 0);
	snprintf(expected, sizeof(expected), "%d\n", getpid());
	expect_content(path, expected);
	assert_int_equal(open_elsewhere(path), -EEXIST);
	expect_content(path, expected);
	pid_file_close(&p);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void a_stale_pid_file_is_taken_over(void **state)
{
	const char *path = in_folder("pid");
	struct pid_file p;

	assert_int_equal(open_elsewhere(path), 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(pid_file_open(&p, path), 0);
	pid_file_close(&p);
	assert_int_not_equal(access(path, F_OK), 0);
}

static void other_files_are_not_taken_for_pid_files(void **state)
{
	char path[PATH_MAX], link[PATH_MAX];
	struct pid_file p;

	snprintf(path, sizeof(path), "%s", in_folder("precious"));
	snprintf(link, sizeof(link), "%s", in_folder("link"));
	write_file(path, "root:x:0\n", 9);
	assert_int_equal(pid_file_open(&p, path), -EINVAL);
	assert_int_equal(symlink(path, link), 0);
	assert_int_equal(pid_file_open(&p, link), -ELOOP);
	expect_content(path, "root:x:0\n");
	unlink(link);
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(pid_file_open(&p, path), -EINVAL);
	unlink(path);
}

/* ---- Last run ------------------------------------------------------------ */

static void a_run_is_remembered(void **state)
{
	struct last_run_target targets[] = {
		{12, 345, "node"},
		{INT_MAX, UINT64_MAX, "a b\nuntil 0 x"},
	};
	struct last_run run = {true, last_run_now_ms(), targets, 2}, back;

	assert_int_equal(last_run_read(folder, &back), -ENOENT);
	assert_int_equal(last_run_write(folder, &run), 0);
	assert_int_equal(last_run_read(folder, &back), 0);
	assert_int_equal(back.until_ms, run.until_ms);
	assert_true(back.stopped);
	assert_int_equal(back.count, 2);
	assert_string_equal(back.targets[1].comm, "a b\\x0auntil 0 x");
	assert_ptr_equal(last_run_find(&back, 12, 345), &back.targets[0]);
	assert_null(last_run_find(&back, 12, 346));
	assert_ptr_equal(last_run_find(&back, INT_MAX, UINT64_MAX),
			 &back.targets[1]);
	last_run_free(&back);
	unlink(in_folder("last-run"));
}

static void expect_record(const char *text, size_t size, int expected)
{
	struct last_run back;
	int seen;

	write_file(in_folder("last-run"), text, size);
	seen = last_run_read(folder, &back);
	if (seen != expected)
		fail_msg("'%.60s': expected %d, seen %d", text, expected, seen);
	if (!seen)
		last_run_free(&back);
}

static void a_damaged_record_is_refused(void **state)
{
	static char huge[(1 << 20) + 1];
	char good[512], boot[64] = "", text[600];
	FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

	assert_non_null(f);
	assert_non_null(fgets(boot, sizeof(boot), f));
	fclose(f);
	snprintf(good, sizeof(good), "leakbpf last run 1\nboot %suntil 1 ",
		 boot);
#define TRY(tail, expected)                                                    \
	do {                                                                   \
		int size = snprintf(text, sizeof(text), "%s%s", good, tail);   \
		expect_record(text, (size_t)size, expected);                   \
	} while (0)
	TRY("running\n", 0);
	TRY("running\ntarget 1 2 c\n", 0);
	TRY("running\ntarget 1 2 c\ntarget 3 4 ", -EBADMSG); /* cut off */
	TRY("running\ntarget 0 2 c\n", -EBADMSG);
	TRY("running\ntarget -1 2 c\n", -EBADMSG);
	TRY("running\ntarget 99999999999 2 c\n", -EBADMSG);
	TRY("running\ntarget 1 99999999999999999999999 c\n", -EBADMSG);
	TRY("running\ntarget 1\n", -EBADMSG);
	TRY("running\nnonsense\n", -EBADMSG);
	TRY("running\n\ntarget 1 2 c\n", -EBADMSG);
	TRY("sleeping\n", -EBADMSG);
	TRY("", -EBADMSG);
#undef TRY
	snprintf(text, sizeof(text),
		 "leakbpf last run 1\nboot %suntil 18446744073709551615 "
		 "running\n",
		 boot);
	expect_record(text, strlen(text), -EBADMSG); /* in the future */
	snprintf(text, sizeof(text),
		 "leakbpf last run 1\nboot other\nuntil 1 running\n");
	expect_record(text, strlen(text), -ENOENT);
	expect_record("leakbpf last run 2\n", 19, -EBADMSG);
	expect_record("", 0, -EBADMSG);
	expect_record("\0\0\0\0", 4, -EBADMSG);
	expect_record(huge, sizeof(huge), -EBADMSG);
	unlink(in_folder("last-run"));
}

/* ---- Service manager ----------------------------------------------------- */

static int listen_for_notes(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(strlen(path) < sizeof(a.sun_path));
	strcpy(a.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void expect_note(int fd, const char *expected)
{
	char seen[256] = "";

	if (recv(fd, seen, sizeof(seen) - 1, MSG_DONTWAIT) < 0)
		snprintf(seen, sizeof(seen), "%s", strerror(errno));
	assert_string_equal(seen, expected);
}

static void the_manager_is_told(void **state)
{
	const char *path = in_folder("notify");
	int fd = listen_for_notes(path);
	struct notify n;

	setenv("NOTIFY_SOCKET", path, 1);
	setenv("WATCHDOG_USEC", "2000", 1);
	notify_open(&n);
	assert_null(getenv("NOTIFY_SOCKET"));
	notify_ready(&n);
	expect_note(fd, "READY=1");
	notify_status(&n, "a\nREADY=%d", 0);
	expect_note(fd, "STATUS=a\\x0aREADY=0");
	notify_alive(&n, 5000000);
	expect_note(fd, "WATCHDOG=1");
	notify_alive(&n, 5999999);
	expect_note(fd, strerror(EAGAIN));
	notify_alive(&n, 6000000);
	expect_note(fd, "WATCHDOG=1");
	notify_close(&n);
	close(fd);
	unlink(path);
}

static void nobody_to_tell_is_fine(void **state)
{
	static const char *const addresses[] = {"", "/", "x",
						"/nowhere/at/all"};
	struct notify n;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(*addresses); i++) {
		setenv("NOTIFY_SOCKET", addresses[i], 1);
		setenv("WATCHDOG_USEC", "99999999999999999999", 1);
		notify_open(&n);
		notify_ready(&n);
		notify_alive(&n, 1);
		notify_close(&n);
	}
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_PID", "1", 1);
	setenv("WATCHDOG_USEC", "2000", 1);
	notify_open(&n);
	assert_int_equal(n.watchdog_ns, 0);
	notify_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_instance_per_pid_file),
		cmocka_unit_test(a_stale_pid_file_is_taken_over),
		cmocka_unit_test(other_files_are_not_taken_for_pid_files),
		cmocka_unit_test(a_run_is_remembered),
		cmocka_unit_test(a_damaged_record_is_refused),
		cmocka_unit_test(the_manager_is_told),
		cmocka_unit_test(nobody_to_tell_is_fine),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
