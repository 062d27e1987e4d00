/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/diag.h"
#include "cli/spawn.h"
#include "target/maps.h"
#include "target/proc_file.h"

/* A program held where its probes would be set. */
struct held {
	struct spawned spawned;
	struct process process;
	struct object_registry *objects;
};

static void hold(struct held *h, char *const command[])
{
	int error;

	h->objects = object_registry_new();
	assert_non_null(h->objects);
	assert_int_equal(spawn_start(&h->spawned, command), EXIT_CODE_OK);
	assert_int_equal(process_open(&h->process, h->spawned.pid, &error),
			 PROCESS_OK);
	assert_int_equal(spawn_load(&h->spawned, &h->process, h->objects),
			 EXIT_CODE_OK);
}

static void let_go(struct held *h)
{
	spawn_end(&h->spawned);
	process_close(&h->process);
	object_registry_free(h->objects);
}

static void expect_state(pid_t pid, char expected)
{
	struct proc_stat stat;

	assert_int_equal(proc_stat_read(pid, &stat), 0);
	if (stat.state != expected)
		fail_msg("process %d: expected state %c, seen %c", (int)pid,
			 expected, stat.state);
}

static bool file_holds(const char *path, const char *word)
{
	static char text[1 << 20];

	return file_read(path, text, sizeof(text)) > 0 && strstr(text, word);
}

/* The dynamic loader's own log tells what it has done so far. */
static void holds_when_libraries_are_mapped_but_not_initialised(void **state)
{
	char *command[] = {"cat", "/dev/null", NULL};
	char log[64], directory[] = "/tmp/spawn_test.XXXXXX";
	bool libc_mapped = false;
	struct maps maps;
	struct held h;
	int status;

	assert_non_null(mkdtemp(directory));
	snprintf(log, sizeof(log), "%s/log", directory);
	setenv("LD_DEBUG", "files", 1);
	setenv("LD_DEBUG_OUTPUT", log, 1);
	hold(&h, command);
	unsetenv("LD_DEBUG");
	unsetenv("LD_DEBUG_OUTPUT");
	snprintf(log, sizeof(log), "%s/log.%d", directory, h.spawned.pid);
	expect_state(h.spawned.pid, 't');
	assert_int_equal(maps_read(&maps, h.spawned.pid, true), 0);
	for (size_t i = 0; i < maps.count; i++)
		libc_mapped |= strstr(maps.list[i].path, "libc") != NULL;
	maps_free(&maps);
	assert_true(libc_mapped);
	assert_true(file_holds(log, "libc.so.6"));
	assert_false(file_holds(log, "calling init"));
	assert_int_equal(spawn_release(&h.spawned), 0);
	assert_int_equal(waitpid(h.spawned.pid, &status, 0), h.spawned.pid);
	assert_int_equal(status, 0); /* no breakpoint was left behind */
	assert_true(file_holds(log, "calling init"));
	h.spawned.pid = 0;
	let_go(&h);
	unlink(log);
	rmdir(directory);
}

static void holds_a_static_program_at_its_entry_point(void **state)
{
	char *command[] = {"/sbin/ldconfig", "--version", NULL};
	struct held h;
	int status;

	if (access(command[0], X_OK))
		skip();
	hold(&h, command);
	expect_state(h.spawned.pid, 't');
	assert_int_equal(spawn_release(&h.spawned), 0);
	assert_int_equal(waitpid(h.spawned.pid, &status, 0), h.spawned.pid);
	assert_int_equal(status, 0);
	h.spawned.pid = 0;
	let_go(&h);
}

static void reports_a_command_that_cannot_be_started(void **state)
{
	char *missing[] = {"/nonexistent/program", NULL};
	char *unreadable[] = {"/dev/null", NULL};
	struct spawned s = {0};

	assert_int_equal(spawn_start(&s, missing), EXIT_CODE_COMMAND);
	assert_int_equal(s.pid, 0);
	assert_int_equal(spawn_start(&s, unreadable), EXIT_CODE_COMMAND);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD); /* nothing is left to wait for */
}

static void reports_a_program_that_ends_in_its_loader(void **state)
{
	char *command[] = {"sh", "-c", "exit 0", NULL};
	struct object_registry *objects = object_registry_new();
	struct process process;
	struct spawned s = {0};
	int error;

	setenv("LD_TRACE_LOADED_OBJECTS", "1", 1); /* as ldd does */
	assert_int_equal(spawn_start(&s, command), EXIT_CODE_OK);
	unsetenv("LD_TRACE_LOADED_OBJECTS");
	assert_int_equal(process_open(&process, s.pid, &error), PROCESS_OK);
	assert_int_equal(spawn_load(&s, &process, objects), EXIT_CODE_COMMAND);
	assert_int_equal(s.pid, 0);
	process_close(&process);
	object_registry_free(objects);
}

static void kills_a_program_that_is_still_held(void **state)
{
	char *command[] = {"sleep", "100", NULL};
	struct held h;
	pid_t pid;

	hold(&h, command);
	pid = h.spawned.pid;
	let_go(&h);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void ends_a_running_program_by_sigterm(void **state)
{
	char *command[] = {"sleep", "100", NULL};
	struct timespec start, end;
	struct held h;
	pid_t pid;

	hold(&h, command);
	pid = h.spawned.pid;
	assert_int_equal(spawn_release(&h.spawned), 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	let_go(&h);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_true(end.tv_sec - start.tv_sec < 2);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
}

static void runs_the_command_with_default_signals(void **state)
{
	/* "yes" ends by SIGPIPE; were it ignored, "yes" would complain. */
	char *command[] = {"sh", "-c", "yes 2>&1 | head -n 1 >/dev/null", NULL};
	uint64_t ignored = 1;
	char status[PROC_STATUS_BYTES];
	struct held h;
	char *field;

	signal(SIGPIPE, SIG_IGN);
	hold(&h, command);
	signal(SIGPIPE, SIG_DFL);
	assert_true(proc_read(h.spawned.pid, "status", status, sizeof(status)) >
		    0);
	field = strstr(status, "SigIgn:");
	assert_non_null(field);
	ignored = strtoull(field + 7, NULL, 16);
	assert_int_equal(ignored >> (SIGPIPE - 1) & 1, 0);
	let_go(&h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			holds_when_libraries_are_mapped_but_not_initialised),
		cmocka_unit_test(holds_a_static_program_at_its_entry_point),
		cmocka_unit_test(reports_a_command_that_cannot_be_started),
		cmocka_unit_test(reports_a_program_that_ends_in_its_loader),
		cmocka_unit_test(kills_a_program_that_is_still_held),
		cmocka_unit_test(ends_a_running_program_by_sigterm),
		cmocka_unit_test(runs_the_command_with_default_signals),
	};

	alarm(60); /* a held program must not hold the test */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
