/* SPDX-License-Identifier: GPL-2.0-only */
/* The configuration file, by itself and together with the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/config_file.h"
#include "cli/options.h"

#define WORDS_MAX 16

struct file {
	char path[64];
};

static void write_file(struct file *f, const char *text, size_t size)
{
	int fd;

	strcpy(f->path, "/tmp/config-test-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, size), size);
	close(fd);
}

/* `leakbpf serve --config FILE WORDS...`, with this in the file. */
static enum exit_code parse(struct options *o, const char *content,
			    const char *words, char error[256])
{
	static char line[256]; /* options point into it */
	char *argv[WORDS_MAX], *word, *rest = line;
	struct file f;
	enum exit_code code;
	int argc = 0;

	write_file(&f, content, strlen(content));
	snprintf(line, sizeof(line), "leakbpf serve --config %s%s%s", f.path,
		 *words ? " " : "", words);
	while ((word = strsep(&rest, " ")) && argc < WORDS_MAX - 1)
		argv[argc++] = word;
	argv[argc] = NULL;
	code = options_parse(o, argc, argv, error, 256);
	/* Messages begin with the path. */
	if (!strncmp(error, f.path, strlen(f.path)))
		memmove(error, error + strlen(f.path),
			strlen(error + strlen(f.path)) + 1);
	unlink(f.path);
	return code;
}

static void expect_error(const char *content, const char *words,
			 const char *message)
{
	struct options o;
	char error[256];

	if (parse(&o, content, words, error) != EXIT_CODE_USAGE ||
	    !strstr(error, message))
		fail_msg("'%s': expected an error with \"%s\", seen \"%s\"",
			 content, message, error);
	options_free(&o);
}

static void settings_are_options(void **state)
{
	struct options o;
	char error[256];

	if (parse(&o,
		  "# a comment\n"
		  "; another\n"
		  "\n"
		  "  pid = 12, \n"
		  "pid=13\n",
		  "", error) != EXIT_CODE_USAGE)
		fail_msg("expected '12,' to be refused");
	options_free(&o);
	if (parse(&o,
		  "# a comment\n"
		  "  pid = 12,14  \n"
		  "pid=13\r\n"
		  "interval = 2.5\n"
		  "mmap = yes\n"
		  "no-v8 = no\n"
		  "log-level = warn\n"
		  "html = /tmp/a ;b.html\n"
		  "listen = [::1]:1",
		  "", error) != EXIT_CODE_OK)
		fail_msg("expected to be accepted, seen: %s", error);
	assert_int_equal(o.pid_count, 3);
	assert_int_equal(o.pids[2], 13);
	assert_int_equal(o.interval_ms, 2500);
	assert_true(o.memory_maps);
	assert_false(o.no_v8);
	assert_int_equal(o.log_level, DIAG_WARN);
	assert_string_equal(o.files[REPORT_HTML], "/tmp/a ;b.html");
	assert_string_equal(o.listen, "[::1]:1");
	options_free(&o);
}

static void the_command_line_wins(void **state)
{
	struct options o;
	char error[256];

	if (parse(&o, "pid = 12\ninterval = 5\nquiet = yes\ntop = 3\n",
		  "-p 20 -i 7 --verbose", error) != EXIT_CODE_OK)
		fail_msg("expected to be accepted, seen: %s", error);
	assert_int_equal(o.pid_count, 1);
	assert_int_equal(o.pids[0], 20);
	assert_int_equal(o.interval_ms, 7000);
	assert_false(o.quiet);
	assert_int_equal(o.log_level, DIAG_DEBUG);
	assert_int_equal(o.top, 3);
	options_free(&o);
}

static void errors_say_where(void **state)
{
	expect_error("pid = 1\n\nnothing = 3\n", "", ":3: there is no setting");
	expect_error("pid = x\n", "", ":1: -p 'x': not a process id");
	expect_error("pid = 1\nmmap = perhaps\n", "",
		     ":2: 'mmap' is yes or no");
	expect_error("pid = 1\njust words\n", "", ":2: expected NAME = VALUE");
	expect_error("[serve]\npid = 1\n", "", ":2: there are no [sections]");
	expect_error("command = rm -rf\n", "", ":1: 'command' is for the");
	expect_error("config = /etc/other\n", "", ":1: 'config' is for the");
	expect_error("listen = \n pid-file =\n", "-p 1", ":2: --pid-file ''");
	expect_error("interval = 5\n", "", "nothing to trace");
}

static void hostile_files_are_refused(void **state)
{
	static char line[10000];
	struct config *c;
	struct file f;
	char error[256];

	memset(line, 'a', sizeof(line));
	write_file(&f, line, sizeof(line));
	assert_int_equal(config_read(f.path, &c, error, sizeof(error)),
			 -EINVAL);
	assert_non_null(strstr(error, ":1: the line is too long"));
	unlink(f.path);

	for (size_t i = 0; i + 4 <= sizeof(line); i += 4)
		memcpy(line + i, "a=b\n", 4);
	write_file(&f, line, sizeof(line));
	assert_int_equal(config_read(f.path, &c, error, sizeof(error)), -E2BIG);
	unlink(f.path);

	write_file(&f, "a=b\n", 4);
	assert_int_equal(chmod(f.path, 0622), 0);
	assert_int_equal(config_read(f.path, &c, error, sizeof(error)), -EPERM);
	unlink(f.path);
	assert_int_equal(config_read(f.path, &c, error, sizeof(error)),
			 -ENOENT);
	assert_int_equal(config_read("/tmp", &c, error, sizeof(error)),
			 -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_are_options),
		cmocka_unit_test(the_command_line_wins),
		cmocka_unit_test(errors_say_where),
		cmocka_unit_test(hostile_files_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
