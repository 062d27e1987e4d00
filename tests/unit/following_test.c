/* SPDX-License-Identifier: GPL-2.0-only */
/* Selections, and who is attached when: without probes. */
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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/attach_queue.h"
#include "cli/refusals.h"
#include "target/cgroup.h"
#include "target/selection.h"

/* ---- Selections -----------------------------------------------------------
 */

/* Another program of this name: it itself never belongs. */
static pid_t start(const char *comm)
{
	char path[64], byte;
	int ready[2];
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ready[1], STDOUT_FILENO);
		close(ready[0]);
		close(ready[1]);
		execl("/bin/sh", "sh", "-c",
		      "printf %s \"$0\" >/proc/$$/comm; echo; read x "
		      "</dev/zero",
		      comm, NULL);
		_exit(1);
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		fail_msg("%s did not start", comm);
	close(ready[0]);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	assert_int_equal(access(path, R_OK), 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

struct made {
	struct containers *containers;
	struct selection *selection;
	int err;
	char error[512];
};

static struct made make(const struct selection_criteria *c)
{
	struct made m = {.containers = containers_new()};

	assert_non_null(m.containers);
	m.err = selection_new(c, m.containers, &m.selection, m.error,
			      sizeof(m.error));
	return m;
}

static void unmake(struct made *m)
{
	if (!m->err)
		selection_free(m->selection);
	containers_free(m->containers);
}

static void expect_holds(const struct selection_criteria *c, pid_t pid,
			 bool expected)
{
	struct made m = make(c);

	if (m.err)
		fail_msg("no selection: %s", m.error);
	if (selection_holds(m.selection, pid) != expected)
		fail_msg("%s: expected that it %s", selection_text(m.selection),
			 expected ? "holds" : "does not hold");
	unmake(&m);
}

static void test_by_name(void **state)
{
	const char *names[] = {"other", "selected-proce"};
	struct selection_criteria c = {.comms = {names, 2}};
	pid_t pid = start("selected-proce");

	expect_holds(&c, pid, true);
	c.comms.count = 1;
	expect_holds(&c, pid, false);
	names[0] = "selected-proc";
	expect_holds(&c, pid, false);
	end(pid);
	names[0] = "selected-proce";
	expect_holds(&c, pid, false);
}

static void test_kinds_are_all_needed(void **state)
{
	char path[CGROUP_PATH_BYTES];
	const char *name = "selected", *group = path,
		   *elsewhere = "/else/where";
	struct selection_criteria c = {.comms = {&name, 1}};
	bool v2 = cgroup_of_process(getpid(), true, path);
	pid_t pid = start("selected");

	if (!v2 && !cgroup_of_process(getpid(), false, path))
		skip();
	c.cgroups = (struct selection_list){&group, 1};
	expect_holds(&c, pid, true);
	name = "different";
	expect_holds(&c, pid, false);
	name = "selected";
	c.cgroups.list = &elsewhere;
	expect_holds(&c, pid, false);
	end(pid);
}

static void test_who_never_belongs(void **state)
{
	struct selection_criteria c = {.all = true};
	pid_t pid = start("anything");

	expect_holds(&c, pid, true);
	expect_holds(&c, getpid(), false); /* this program */
	expect_holds(&c, 2, false);	   /* kthreadd */
	expect_holds(&c, 0x7ffffff0, false);
	end(pid);
}

static void expect_error(const struct selection_criteria *c, const char *words)
{
	struct made m = make(c);

	if (m.err != -EINVAL || !strstr(m.error, words) ||
	    strchr(m.error, '\n'))
		fail_msg("expected one line with \"%s\", seen %d \"%s\"", words,
			 m.err, m.error);
	unmake(&m);
}

static void test_what_cannot_be_meant(void **state)
{
	const char *text = "no-such-container";
	struct selection_criteria c = {.containers = {&text, 1}};

	expect_error(&c, "--container 'no-such-container': there is none");
	c = (struct selection_criteria){.pods = {&text, 1}};
	expect_error(&c, "--pod 'no-such-container': there is none");
	c = (struct selection_criteria){.cgroups = {&text, 1}};
	text = "a/../b";
	expect_error(&c, "--cgroup 'a/../b'");
	text = "/sys/fs/cgroup/../../proc";
	expect_error(&c, "--cgroup");
}

static void test_what_may_come_later(void **state)
{
	const char *text = "no-such-container";
	struct selection_criteria c = {.containers = {&text, 1},
				       .may_come = true};

	expect_holds(&c, getppid(), false);
}

static void test_groups_hold_what_is_below(void **state)
{
	struct cgroup_place g = {.path = "/a/b"};

	assert_true(cgroup_holds(&g, "/a/b"));
	assert_true(cgroup_holds(&g, "/a/b/c"));
	assert_false(cgroup_holds(&g, "/a/bc"));
	assert_false(cgroup_holds(&g, "/a"));
	assert_false(cgroup_holds(&g, "/"));
	strcpy(g.path, "/");
	assert_true(cgroup_holds(&g, "/"));
	assert_true(cgroup_holds(&g, "/a/b"));
}

/* ---- The queue ------------------------------------------------------------
 */

static uint64_t by_hundreds(void *context, pid_t pid)
{
	return (uint64_t)pid / 100;
}

static void test_whoever_had_least_time_comes_first(void **state)
{
	static const pid_t expected[] = {100, 200, 201, 101, 102};
	struct attach_queue *q = calloc(1, sizeof(*q));
	static const uint64_t costs[] = {1000000, 300000, 900000, 1, 1};

	assert_non_null(q);
	for (pid_t pid = 100; pid < 103; pid++)
		attach_queue_add(q, pid, 0);
	attach_queue_add(q, 200, 0);
	attach_queue_add(q, 201, 0);
	attach_queue_add(q, 201, 0); /* waits already */
	for (size_t i = 0; i < 5; i++) {
		pid_t pid = attach_queue_next(q, by_hundreds, NULL);

		if (pid != expected[i])
			fail_msg("turn %zu: expected %d, seen %d", i,
				 expected[i], pid);
		attach_queue_spent(q, costs[i]);
	}
	assert_int_equal(attach_queue_next(q, by_hundreds, NULL), 0);
	free(q);
}

static void test_time_is_rationed(void **state)
{
	struct attach_queue *q = calloc(1, sizeof(*q));

	assert_non_null(q);
	attach_queue_add(q, 1, 0);
	attach_queue_add(q, 2, 0);
	attach_queue_add(q, 3, UINT64_MAX);
	assert_int_equal(attach_queue_due(q), 2);
	assert_int_equal(attach_queue_next(q, by_hundreds, NULL), 1);
	attach_queue_spent(q, ATTACH_NS_A_SECOND + 1);
	assert_int_equal(attach_queue_next(q, by_hundreds, NULL), 0);
	attach_queue_refill(q);
	assert_int_equal(attach_queue_next(q, by_hundreds, NULL), 2);
	/* Not due yet. */
	assert_int_equal(attach_queue_next(q, by_hundreds, NULL), 0);
	for (pid_t pid = 10; pid < 10 + 2 * ATTACH_QUEUE_MAX; pid++)
		attach_queue_add(q, pid, 0);
	assert_int_equal(q->count, ATTACH_QUEUE_MAX);
	assert_true(q->overflowed);
	free(q);
}

static void test_refusals(void **state)
{
	struct refusals r = {0};
	const uint64_t second = 1000000000;

	assert_false(refusals_hold(&r, 7, 1, 0));
	refusals_add(&r, 7, 1, NOT_TRACED_OTHER_ARCH, second);
	assert_true(refusals_hold(&r, 7, 1, 1000 * second));
	/* The pid was used again. */
	assert_false(refusals_hold(&r, 7, 2, second));
	/* It called exec. */
	refusals_forget(&r, 7);
	assert_false(refusals_hold(&r, 7, 1, second));
	/* Tried again ever less often, counted once. */
	refusals_add(&r, 8, 1, NOT_TRACED_NO_ALLOCATOR, 0);
	assert_true(refusals_hold(&r, 8, 1, second / 2));
	assert_false(refusals_hold(&r, 8, 1, second));
	refusals_add(&r, 8, 1, NOT_TRACED_NO_ALLOCATOR, second);
	assert_true(refusals_hold(&r, 8, 1, 4 * second));
	assert_false(refusals_hold(&r, 8, 1, 5 * second));
	assert_int_equal(r.total[NOT_TRACED_NO_ALLOCATOR], 1);
	assert_int_equal(r.total[NOT_TRACED_OTHER_ARCH], 1);
	refusals_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_by_name),
		cmocka_unit_test(test_kinds_are_all_needed),
		cmocka_unit_test(test_who_never_belongs),
		cmocka_unit_test(test_what_cannot_be_meant),
		cmocka_unit_test(test_what_may_come_later),
		cmocka_unit_test(test_groups_hold_what_is_below),
		cmocka_unit_test(test_whoever_had_least_time_comes_first),
		cmocka_unit_test(test_time_is_rationed),
		cmocka_unit_test(test_refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
