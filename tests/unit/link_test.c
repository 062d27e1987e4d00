// SPDX-License-Identifier: GPL-2.0-only
/* Links do what link.h says, for each kind of them: against real processes,
 * so it needs root. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "link_worker.h"
#include "probe/feature_lab.h"

#define COOKIE 0xfeedfacecafe0001ULL
#define CALLS  1000
#if defined(__x86_64__)
#define BREAKPOINT 0xcc /* int3 */
#else
#define BREAKPOINT 0x05 /* first byte of brk #5 (BRK64_OPCODE_UPROBES) */
#endif

struct setting {
	enum link_kind kind;
	struct lab lab;
	struct worker worker;
	struct lab_program *entry, *at_return; /* the same for sessions */
	uint64_t offset; /* of worker_target in the executable */
};

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int load_programs(struct setting *s)
{
	int error;

	if (s->kind == LINK_SESSION) {
		error = lab_load(&s->lab, "count_session", s->kind, &s->entry);
		s->at_return = s->entry;
		return error;
	}
	error = lab_load(&s->lab, "count_entry", s->kind, &s->entry);
	if (error)
		return error;
	return lab_load(&s->lab, "count_return", s->kind, &s->at_return);
}

static int set_up(void **state)
{
	enum link_kind kind = *(const enum link_kind *)*state;
	struct setting *s = calloc(1, sizeof(*s));
	int error;

	if (!s)
		return -1;
	s->kind = kind;
	*state = s;
	if (lab_open(&s->lab))
		return -1;
	error = load_programs(s);
	if (error) {
		print_error("programs for %s links do not load: %s\n",
			    link_kind_name(kind), strerror(-error));
		return -1;
	}
	if (own_function_offset((own_function)worker_target, &s->offset))
		return -1;
	return worker_start(&s->worker, "/proc/self/exe", NULL);
}

static int tear_down(void **state)
{
	struct setting *s = *state;

	lab_close(&s->lab);
	worker_stop(&s->worker);
	free(s);
	return 0;
}

/* Entry and return probe on worker_target in `pid`, through `file`. */
static int attach_to(struct setting *s, int file, pid_t pid)
{
	struct probe_point point = {s->offset, COOKIE, 0};
	int error = probe_links_add(&s->lab.links, s->kind, s->entry->fd, file,
				    pid, false, &point, 1);

	if (error || s->kind == LINK_SESSION)
		return error;
	return probe_links_add(&s->lab.links, s->kind, s->at_return->fd, file,
			       pid, true, &point, 1);
}

static int attach(struct setting *s)
{
	return attach_to(s, s->worker.executable, s->worker.pid);
}

static void expect_hits(const struct setting *s, uint64_t entries,
			uint64_t returns)
{
	assert_int_equal(s->entry->counts->entry_hits, entries);
	assert_int_equal(s->at_return->counts->return_hits, returns);
}

static void every_call_of_every_thread_is_counted(void **state)
{
	struct setting *s = *state;
	struct worker *w = &s->worker;

	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_ask(w, CALL_IN_MAIN, CALLS), 0);
	expect_hits(s, CALLS, CALLS);
	assert_int_equal(worker_ask(w, CALL_IN_OLD_THREAD, CALLS), 0);
	expect_hits(s, 2 * CALLS, 2 * CALLS);
	assert_int_equal(worker_ask(w, CALL_IN_NEW_THREADS, CALLS), 0);
	expect_hits(s, (2 + WORKER_THREADS) * CALLS,
		    (2 + WORKER_THREADS) * CALLS);
}

static void each_point_carries_its_cookie(void **state)
{
	struct setting *s = *state;

	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, 1), 0);
	assert_int_equal(s->entry->counts->last_cookie, COOKIE);
	assert_int_equal(s->at_return->counts->last_cookie, COOKIE);
}

static void other_processes_are_not_counted(void **state)
{
	struct setting *s = *state;
	struct worker other = {0};

	assert_int_equal(worker_start(&other, "/proc/self/exe", NULL), 0);
	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_ask(&other, CALL_IN_MAIN, CALLS), 0);
	worker_stop(&other);
	expect_hits(s, 0, 0);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, 1), 0);
	expect_hits(s, 1, 1);
}

static void other_processes_get_no_breakpoint(void **state)
{
	struct setting *s = *state;
	struct worker other = {0};
	int byte;

	assert_int_equal(worker_start(&other, "/proc/self/exe", NULL), 0);
	assert_int_equal(attach(s), 0);
	byte = worker_first_byte(&other);
	worker_stop(&other);
	assert_int_equal(worker_first_byte(&s->worker), BREAKPOINT);
	assert_int_not_equal(byte, BREAKPOINT);
}

static void fork_children_are_not_counted(void **state)
{
	struct setting *s = *state;

	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_FORK_CHILD, CALLS), 0);
	expect_hits(s, 0, 0);
	/* ... and the parent still is. */
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, 1), 0);
	expect_hits(s, 1, 1);
}

static void fork_children_can_be_swept(void **state)
{
	struct setting *s = *state;
	struct probe_point point = {s->offset, COOKIE, 0};
	struct worker child = s->worker;
	struct probe_links passing = {0};
	int before = worker_first_byte(&s->worker);

	assert_int_equal(attach(s), 0);
	child.pid = worker_ask(&s->worker, LEAVE_FORK_CHILD, 0);
	assert_true(child.pid > 0);
	assert_int_equal(worker_first_byte(&child), BREAKPOINT);
	assert_int_equal(
		probe_links_sweep_forks(&passing, s->kind, s->entry->fd,
					s->worker.executable, &point, 1),
		0);
	probe_links_close(&passing);
	if (s->kind != LINK_PERF)
		assert_int_equal(worker_first_byte(&child), before);
	/* The process itself is probed as before. */
	assert_int_equal(worker_first_byte(&s->worker), BREAKPOINT);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, CALLS), 0);
	expect_hits(s, CALLS, CALLS);
}

/* vfork and CLONE_VM children share the memory, and so what is allocated in
 * it. Only perf events count them; for the others, link.h's user attaches the
 * child too. */
static void children_that_share_memory_are_seen_by_perf_only(void **state)
{
	struct setting *s = *state;

	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_VFORK_CHILD, CALLS), 0);
	if (s->kind == LINK_PERF)
		expect_hits(s, CALLS, CALLS);
	else
		expect_hits(s, 0, 0);
}

static void closing_restores_the_code(void **state)
{
	struct setting *s = *state;
	int before = worker_first_byte(&s->worker);

	assert_int_not_equal(before, BREAKPOINT);
	assert_int_equal(attach(s), 0);
	assert_int_equal(worker_first_byte(&s->worker), BREAKPOINT);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, 1), 0);
	probe_links_close(&s->lab.links);
	assert_int_equal(s->lab.links.count, 0);
	assert_int_equal(worker_first_byte(&s->worker), before);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_NEW_THREADS, CALLS), 0);
	expect_hits(s, 1, 1);
}

/* The function's first byte once it is no breakpoint, for up to ten seconds:
 * what a killed or exiting process held goes in the background. */
static int byte_in_the_end(const struct worker *w, own_function f)
{
	const struct timespec step = {.tv_nsec = 10000000};
	int byte = worker_byte_of(w, f);

	for (int i = 0; i < 1000 && byte == BREAKPOINT; i++) {
		nanosleep(&step, NULL);
		byte = worker_byte_of(w, f);
	}
	return byte;
}

static void killing_the_owner_restores_the_code(void **state)
{
	struct setting *s = *state;
	int before = worker_first_byte(&s->worker);
	int ready[2], byte_during;
	char answer = 0;
	pid_t owner;

	assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
	owner = fork();
	if (!owner) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		answer = attach(s) ? 'n' : 'y';
		if (write(ready[1], &answer, 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &answer, 1), 1);
	close(ready[0]);
	byte_during = worker_first_byte(&s->worker);
	kill(owner, SIGKILL);
	waitpid(owner, NULL, 0);
	assert_int_equal(answer, 'y');
	assert_int_equal(byte_during, BREAKPOINT);
	assert_int_equal(
		byte_in_the_end(&s->worker, (own_function)worker_target),
		before);
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, CALLS), 0);
	expect_hits(s, 0, 0);
}

static void deleted_files_can_be_probed(void **state)
{
	struct setting *s = *state;
	char directory[] = "/tmp/leakbpf-link-XXXXXX", path[64];
	struct worker gone = {0}, deleted = {0};

	/* Not our own file: a breakpoint in that would be no proof. */
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/worker", directory);
	assert_int_equal(copy_own_executable(path), 0);
	assert_int_equal(worker_start(&gone, path, NULL), 0);
	assert_int_equal(worker_start(&deleted, path, NULL), 0);
	unlink(path);
	rmdir(directory);
	/* The descriptor came from a process that has exited since. */
	worker_kill(&gone);
	int error = attach_to(s, gone.executable, deleted.pid);
	int asked = worker_ask(&deleted, CALL_IN_MAIN, CALLS);
	worker_stop(&gone);
	worker_stop(&deleted);
	assert_int_equal(error, 0);
	assert_int_equal(asked, 0);
	expect_hits(s, CALLS, CALLS);
}

static void files_of_other_mount_namespaces_can_be_probed(void **state)
{
	struct setting *s = *state;
	char directory[] = "/tmp/leakbpf-link-XXXXXX", path[64];
	struct worker hidden = {0};
	int started, seen, error, asked;

	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/worker", directory);
	started = worker_start(&hidden, NULL, directory);
	seen = access(path, F_OK);
	error = attach_to(s, hidden.executable, hidden.pid);
	asked = worker_ask(&hidden, CALL_IN_MAIN, CALLS);
	worker_stop(&hidden);
	rmdir(directory);
	assert_int_equal(started, 0);
	assert_int_equal(seen, -1); /* else it was no other namespace */
	assert_int_equal(error, 0);
	assert_int_equal(asked, 0);
	expect_hits(s, CALLS, CALLS);
}

static void a_bad_point_undoes_the_good_ones(void **state)
{
	struct setting *s = *state;
	struct probe_point points[] = {{s->offset, 0, 0}, {1ULL << 40, 0, 0}};
	int before = worker_first_byte(&s->worker);
	int error = probe_links_add(&s->lab.links, s->kind, s->entry->fd,
				    s->worker.executable, s->worker.pid, false,
				    points, 2);

	assert_in_range(-error, 1, 4095);
	assert_int_equal(s->lab.links.count, 0);
	assert_int_equal(worker_first_byte(&s->worker), before);
}

static void a_process_that_is_gone_is_told(void **state)
{
	struct setting *s = *state;
	pid_t pid = s->worker.pid;

	worker_kill(&s->worker);
	assert_int_equal(attach_to(s, s->worker.executable, pid), -ESRCH);
	assert_int_equal(s->lab.links.count, 0);
}

static void no_process_or_no_kind_is_refused(void **state)
{
	struct setting *s = *state;
	struct probe_point point = {s->offset, 0, 0};

	/* pid 0 or -1 would mean every process on the machine. */
	assert_int_equal(attach_to(s, s->worker.executable, 0), -EINVAL);
	assert_int_equal(attach_to(s, s->worker.executable, -1), -EINVAL);
	assert_int_equal(probe_links_add(&s->lab.links, LINK_NONE, s->entry->fd,
					 s->worker.executable, s->worker.pid,
					 false, &point, 1),
			 -EINVAL);
	assert_int_equal(probe_links_add(&s->lab.links, LINK_SESSION,
					 s->entry->fd, s->worker.executable,
					 s->worker.pid, true, &point, 1),
			 -EINVAL);
}

static void a_session_may_decline_the_return(void **state)
{
	struct setting *s = *state;

	assert_int_equal(attach(s), 0);
	s->entry->counts->skip_return = 1;
	assert_int_equal(worker_ask(&s->worker, CALL_IN_NEW_THREADS, CALLS), 0);
	expect_hits(s, WORKER_THREADS * CALLS, 0);
	s->entry->counts->skip_return = 0;
	assert_int_equal(worker_ask(&s->worker, CALL_IN_MAIN, CALLS), 0);
	expect_hits(s, (WORKER_THREADS + 1) * CALLS, CALLS);
}

/* 20 functions, entry and return: 40 perf events, or 2 links (1 session). */
static void attach_forty(struct setting *s)
{
	struct probe_point points[20] = {0};

	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(
			own_function_offset(own_function_get(i % 2, i / 2),
					    &points[i].file_offset),
			0);
		points[i].cookie = i;
	}
	assert_int_equal(probe_links_add(&s->lab.links, s->kind, s->entry->fd,
					 s->worker.executable, s->worker.pid,
					 false, points, 20),
			 0);
	if (s->kind == LINK_SESSION)
		return;
	assert_int_equal(probe_links_add(&s->lab.links, s->kind,
					 s->at_return->fd, s->worker.executable,
					 s->worker.pid, true, points, 20),
			 0);
}

static void closing_many_probes_takes_under_a_second(void **state)
{
	struct setting *s = *state;
	double start = now_ms(), attached, closed, restored;
	size_t count;

	attach_forty(s);
	attached = now_ms();
	count = s->lab.links.count;
	probe_links_close(&s->lab.links);
	closed = now_ms();
	for (unsigned i = 0; i < 20; i++) {
		own_function f = own_function_get(i % 2, i / 2);

		assert_int_equal(byte_in_the_end(&s->worker, f),
				 *(unsigned char *)(uintptr_t)f);
	}
	restored = now_ms();
	print_message("%s: 40 probes in %zu links: attach %.1f ms, close "
		      "%.1f ms, code restored after %.1f ms\n",
		      link_kind_name(s->kind), count, attached - start,
		      closed - attached, restored - attached);
	assert_in_range(closed - attached, 0, 999);
}

#define TEST(function)                                                         \
	cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static const struct CMUnitTest tests_of_every_kind[] = {
	TEST(every_call_of_every_thread_is_counted),
	TEST(each_point_carries_its_cookie),
	TEST(other_processes_are_not_counted),
	TEST(other_processes_get_no_breakpoint),
	TEST(fork_children_are_not_counted),
	TEST(fork_children_can_be_swept),
	TEST(children_that_share_memory_are_seen_by_perf_only),
	TEST(closing_restores_the_code),
	TEST(killing_the_owner_restores_the_code),
	TEST(deleted_files_can_be_probed),
	TEST(files_of_other_mount_namespaces_can_be_probed),
	TEST(a_bad_point_undoes_the_good_ones),
	TEST(a_process_that_is_gone_is_told),
	TEST(no_process_or_no_kind_is_refused),
	TEST(closing_many_probes_takes_under_a_second),
	/* Last: only sessions have it. */
	TEST(a_session_may_decline_the_return),
};

#define TESTS (sizeof(tests_of_every_kind) / sizeof(tests_of_every_kind[0]))

static int run(enum link_kind kind)
{
	struct CMUnitTest tests[TESTS];
	char names[TESTS][96];
	size_t count = kind == LINK_SESSION ? TESTS : TESTS - 1;

	for (size_t i = 0; i < count; i++) {
		tests[i] = tests_of_every_kind[i];
		snprintf(names[i], sizeof(names[i]), "%s: %s",
			 link_kind_name(kind), tests[i].name);
		tests[i].name = names[i];
		tests[i].initial_state = &kind;
	}
	return _cmocka_run_group_tests(link_kind_name(kind), tests, count, NULL,
				       NULL);
}

int main(int argc, char **argv)
{
	struct kernel_features features;
	int failed = 0;

	if (argc > 1 && !strcmp(argv[1], "--worker"))
		return worker_main();
	if (geteuid() != 0) {
		print_message("SKIPPED: needs root\n");
		return 0;
	}
	signal(SIGPIPE, SIG_IGN);
	if (features_probe(&features, NULL)) {
		print_error("features_probe failed\n");
		return 1;
	}
	for (int kind = LINK_PERF; kind <= LINK_SESSION; kind++)
		if (features_best_link(&features, kind) == LINK_NONE)
			print_message("SKIPPED: no %s links on this kernel\n",
				      link_kind_name(kind));
		else
			failed += run(kind);
	return failed;
}
