/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/output.h"
#include "target/proc_file.h"

static char directory[] = "/tmp/output_test.XXXXXX";

static char *in_directory(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void expect_files(int expected)
{
	struct dirent *entry;
	DIR *d = opendir(directory);
	int seen = 0;

	assert_non_null(d);
	while ((entry = readdir(d)))
		seen += strcmp(entry->d_name, ".") &&
			strcmp(entry->d_name, "..");
	closedir(d);
	if (seen != expected)
		fail_msg("expected %d files in %s, seen %d", expected,
			 directory, seen);
}

static void expect_content(const char *path, const char *expected)
{
	char text[128] = "";

	assert_true(file_read(path, text, sizeof(text)) >= 0);
	assert_string_equal(text, expected);
}

static int open_folded(struct output *o, const char *path, bool quiet)
{
	const char *const paths[REPORT_FORMATS] = {[REPORT_FOLDED] = path};

	return output_open(o, paths, quiet);
}

static int write_text(FILE *out, void *context)
{
	return fputs(context, out) < 0 ? -EIO : 0;
}

static int write_half_and_fail(FILE *out, void *context)
{
	fputs("half", out);
	return -ENOMEM;
}

static void replaces_the_folded_file_as_a_whole(void **state)
{
	char *path = in_directory("folded");
	struct output o;
	struct stat st;
	mode_t old = umask(027);

	assert_int_equal(open_folded(&o, path, false), 0);
	expect_files(0); /* tried, and nothing left */
	assert_ptr_equal(o.text, stdout);
	assert_true(output_due(&o, REPORT_FOLDED, false));
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "one 1\n"),
			 0);
	expect_content(path, "one 1\n");
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "2\n"), 0);
	expect_content(path, "2\n");
	assert_int_equal(
		output_write(&o, REPORT_FOLDED, write_half_and_fail, NULL),
		-ENOMEM);
	expect_content(path, "2\n");
	expect_files(1);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	output_close(&o);
	umask(old);
	unlink(path);
}

/* What a trap in a shared directory looks like. */
static void does_not_write_through_a_symbolic_link(void **state)
{
	char victim[256], link[256];
	struct output o;

	snprintf(victim, sizeof(victim), "%s", in_directory("victim"));
	snprintf(link, sizeof(link), "%s", in_directory("link"));
	fclose(fopen(victim, "w"));
	assert_int_equal(symlink(victim, link), 0);
	assert_int_equal(open_folded(&o, link, false), 0);
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "x\n"), 0);
	expect_content(victim, "");
	expect_content(link, "x\n");
	output_close(&o);
	unlink(victim);
	unlink(link);
}

static void writes_a_pipe_once_at_the_end(void **state)
{
	char *path = in_directory("pipe"), text[16] = "";
	struct output o;
	int reader;

	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(open_folded(&o, path, false), -ENXIO); /* no reader */
	reader = open(path, O_RDONLY | O_NONBLOCK);
	assert_true(reader >= 0);
	assert_int_equal(open_folded(&o, path, false), 0);
	assert_false(output_due(&o, REPORT_FOLDED, false));
	assert_true(output_due(&o, REPORT_FOLDED, true));
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "end\n"),
			 0);
	assert_int_equal(read(reader, text, sizeof(text) - 1), 4);
	assert_string_equal(text, "end\n");
	close(reader);
	signal(SIGPIPE, SIG_IGN);
	/* The reader left: no error of ours. */
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "more\n"),
			 0);
	output_close(&o);
	unlink(path);
}

static void refuses_what_cannot_be_written_beforehand(void **state)
{
	char long_name[5000];
	struct output o;

	memset(long_name, 'x', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(open_folded(&o, "/nonexistent/file", false), -ENOENT);
	assert_int_equal(open_folded(&o, directory, false), -EISDIR);
	assert_int_equal(open_folded(&o, "/proc/folded", false), -ENOENT);
	assert_int_equal(open_folded(&o, long_name, false), -ENAMETOOLONG);
	expect_files(0);
}

static void reports_a_full_device(void **state)
{
	struct output o;

	assert_int_equal(open_folded(&o, "/dev/full", false), 0);
	assert_int_equal(output_write(&o, REPORT_FOLDED, write_text, "x\n"),
			 -ENOSPC);
	output_close(&o);
}

static void gives_standard_output_to_folded_stacks(void **state)
{
	struct output o;

	assert_int_equal(open_folded(&o, "-", false), 0);
	assert_ptr_equal(o.text, stderr);
	assert_false(output_due(&o, REPORT_FOLDED, false));
	assert_true(output_due(&o, REPORT_FOLDED, true));
	assert_int_equal(open_folded(&o, "-", true), 0);
	assert_null(o.text);
	assert_int_equal(output_flush(&o), 0);
	assert_int_equal(open_folded(&o, NULL, true), 0);
	assert_ptr_equal(o.text, stdout);
	assert_false(output_due(&o, REPORT_FOLDED, true));
}

static int make_directory(void **state)
{
	return mkdtemp(directory) ? 0 : -1;
}

static int remove_directory(void **state)
{
	return rmdir(directory);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(replaces_the_folded_file_as_a_whole),
		cmocka_unit_test(does_not_write_through_a_symbolic_link),
		cmocka_unit_test(writes_a_pipe_once_at_the_end),
		cmocka_unit_test(refuses_what_cannot_be_written_beforehand),
		cmocka_unit_test(reports_a_full_device),
		cmocka_unit_test(gives_standard_output_to_folded_stacks),
	};

	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
