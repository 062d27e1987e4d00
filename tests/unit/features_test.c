// SPDX-License-Identifier: GPL-2.0-only
/* features.h: what is found out about this kernel, and what is made of it. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "probe/feature_lab.h"
#include "probe/features.h"
#include "probe/features_seccomp.h"

static const struct kernel_features everything = {
	.btf = true,
	.bpf = true,
	.ring_buffer = true,
	.attach_cookie = true,
	.uprobe_perf = true,
	.uprobe_multi = true,
	.uprobe_session = true,
};

static void skip_unless_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void the_best_link_is_session_then_multi_then_perf(void **state)
{
	struct kernel_features f = everything;

	assert_int_equal(features_best_link(&f, LINK_NONE), LINK_SESSION);
	f.uprobe_session = false;
	assert_int_equal(features_best_link(&f, LINK_NONE), LINK_MULTI);
	f.uprobe_multi = false;
	assert_int_equal(features_best_link(&f, LINK_NONE), LINK_PERF);
	f.attach_cookie = false; /* hits could not be told apart */
	assert_int_equal(features_best_link(&f, LINK_NONE), LINK_NONE);
}

static void a_forced_link_is_taken_or_nothing(void **state)
{
	struct kernel_features f = everything;

	assert_int_equal(features_best_link(&f, LINK_PERF), LINK_PERF);
	assert_int_equal(features_best_link(&f, LINK_MULTI), LINK_MULTI);
	f.uprobe_multi = false;
	assert_int_equal(features_best_link(&f, LINK_MULTI), LINK_NONE);
}

static void what_is_missing_is_named(void **state)
{
	struct kernel_features f = everything;
	char text[256];

	features_missing(&f, text, sizeof(text));
	assert_string_equal(text, "");
	f.btf = f.ring_buffer = false;
	features_missing(&f, text, sizeof(text));
	assert_string_equal(text, "kernel BTF (CONFIG_DEBUG_INFO_BTF, "
				  "/sys/kernel/btf/vmlinux), "
				  "BPF ring buffer (Linux 5.8)");
	f = everything;
	f.uprobe_session = f.uprobe_multi = f.attach_cookie = false;
	features_missing(&f, text, sizeof(text));
	assert_non_null(strstr(text, "cookies"));
	f.uprobe_perf = false;
	features_missing(&f, text, sizeof(text));
	assert_non_null(strstr(text, "CONFIG_UPROBE_EVENTS"));
	f = (struct kernel_features){0};
	features_missing(&f, text, sizeof(text));
	assert_non_null(strstr(text, "CONFIG_BPF_SYSCALL"));
}

static void a_short_buffer_is_not_overrun(void **state)
{
	struct kernel_features f = everything;
	char text[16];

	f.btf = f.ring_buffer = f.uprobe_perf = false;
	f.uprobe_multi = f.uprobe_session = false;
	for (size_t size = 0; size <= 8; size++) {
		memset(text, 'x', sizeof(text));
		features_missing(&f, text, size);
		for (size_t i = size; i < sizeof(text); i++)
			assert_int_equal(text[i], 'x');
		if (size)
			assert_int_equal(strlen(text), size - 1);
	}
}

static size_t open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void probing_finds_and_measures(void **state)
{
	struct kernel_features f;
	uint64_t start = now_ns();
	int error;

	skip_unless_root();
	error = features_probe(&f, NULL);
	print_message("link kind %s; entry emulated %u ns, stepped %u ns, "
		      "return %u ns more; return probes %s under seccomp; "
		      "took %.0f ms\n",
		      link_kind_name(features_best_link(&f, LINK_NONE)),
		      f.entry_emulated_ns, f.entry_stepped_ns, f.return_ns,
		      f.return_probe_kills_seccomp ? "kill" : "work",
		      (double)(now_ns() - start) / 1e6);
	assert_int_equal(error, 0);
	/* The least that the tool runs on. */
	assert_true(f.bpf);
	assert_true(f.btf);
	assert_true(f.ring_buffer);
	assert_true(f.uprobe_perf);
	assert_true(f.attach_cookie);
	/* A trap takes more than 10 ns and less than a millisecond. */
	assert_in_range(f.entry_emulated_ns, 10, 1000000);
	assert_in_range(f.entry_stepped_ns, f.entry_emulated_ns, 1000000);
	assert_in_range(f.return_ns, 10, 1000000);
}

static void probing_leaves_nothing_behind(void **state)
{
	unsigned char before[OWN_FUNCTIONS][2], after[OWN_FUNCTIONS][2];
	struct kernel_features f;
	size_t descriptors;

	skip_unless_root();
	for (unsigned i = 0; i < OWN_FUNCTIONS; i++)
		for (unsigned kind = 0; kind < 2; kind++)
			before[i][kind] =
				*(unsigned char *)(uintptr_t)own_function_get(
					kind, i);
	descriptors = open_descriptors();
	assert_int_equal(features_probe(&f, NULL), 0);
	assert_int_equal(open_descriptors(), descriptors);
	for (unsigned i = 0; i < OWN_FUNCTIONS; i++)
		for (unsigned kind = 0; kind < 2; kind++)
			after[i][kind] =
				*(unsigned char *)(uintptr_t)own_function_get(
					kind, i);
	assert_memory_equal(before, after, sizeof(before));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* Runs `check` as a user without privileges; its result is the exit code. */
static int as_nobody(int (*check)(void))
{
	int status;
	pid_t child = fork();

	if (!child)
		_exit(setgid(65534) || setuid(65534) ? 99 : check());
	if (child < 0 || waitpid(child, &status, 0) != child)
		return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int probe_without_privileges(void)
{
	struct kernel_features f;

	return -features_probe(&f, NULL);
}

static int name_missing_privileges(void)
{
	char text[128];
	int count = features_missing_capabilities(text, sizeof(text));

	if (strcmp(text, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE") != 0)
		fprintf(stderr, "missing: %s\n", text);
	return strcmp(text, "CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE") != 0
		       ? 98
		       : count;
}

static void without_privileges_it_says_so(void **state)
{
	skip_unless_root();
	assert_int_equal(as_nobody(probe_without_privileges), EPERM);
	assert_int_equal(as_nobody(name_missing_privileges), 3);
}

static void an_unclear_seccomp_answer_is_the_cautious_one(void **state)
{
	struct lab lab;

	skip_unless_root();
	assert_int_equal(lab_open(&lab), 0);
	/* No such kind: the probe is never set, the child never released. */
	assert_true(features_return_kills_seccomp(&lab, LINK_NONE));
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	lab_close(&lab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_best_link_is_session_then_multi_then_perf),
		cmocka_unit_test(a_forced_link_is_taken_or_nothing),
		cmocka_unit_test(what_is_missing_is_named),
		cmocka_unit_test(a_short_buffer_is_not_overrun),
		cmocka_unit_test(probing_finds_and_measures),
		cmocka_unit_test(probing_leaves_nothing_behind),
		cmocka_unit_test(without_privileges_it_says_so),
		cmocka_unit_test(an_unclear_seccomp_answer_is_the_cautious_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
