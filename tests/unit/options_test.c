/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/help.h"
#include "cli/option_values.h"
#include "cli/options.h"

#define WORDS_MAX 32

/* A command line for a test, split at blanks; argv must outlive the options. */
struct line {
	char text[512];
	char *argv[WORDS_MAX];
	int argc;
	struct options options;
	char error[256];
	enum exit_code code;
};

static void parse_words(struct line *l)
{
	l->argv[l->argc] = NULL;
	l->code = options_parse(&l->options, l->argc, l->argv, l->error,
				sizeof(l->error));
}

static void parse(struct line *l, const char *text)
{
	char *word, *rest = l->text;

	memset(l, 0, sizeof(*l));
	snprintf(l->text, sizeof(l->text), "leakbpf%s%s", *text ? " " : "",
		 text);
	while ((word = strsep(&rest, " ")) && l->argc < WORDS_MAX - 1)
		l->argv[l->argc++] = word;
	parse_words(l);
}

static void expect_good(struct line *l, const char *text)
{
	parse(l, text);
	if (l->code != EXIT_CODE_OK)
		fail_msg("'%s': expected to be accepted, seen %d: %s", text,
			 l->code, l->error);
}

static void expect_error(const char *text, const char *message)
{
	struct line l;

	parse(&l, text);
	if (l.code != EXIT_CODE_USAGE)
		fail_msg("'%s': expected exit code 2, seen %d", text, l.code);
	if (strcmp(l.error, message))
		fail_msg("'%s': expected \"%s\", seen \"%s\"", text, message,
			 l.error);
	options_free(&l.options);
}

static void takes_defaults(void **state)
{
	struct line l;

	expect_good(&l, "-p 12");
	assert_int_equal(l.options.action, ACTION_PROFILE);
	assert_int_equal(l.options.pid_count, 1);
	assert_int_equal(l.options.pids[0], 12);
	assert_null(l.options.command);
	assert_int_equal(l.options.interval_ms, 10000);
	assert_int_equal(l.options.duration_ms, 0);
	assert_int_equal(l.options.top, 10);
	assert_int_equal(l.options.sample_bytes, SAMPLE_BYTES_DEFAULT);
	assert_int_equal(l.options.max_memory, 64 << 20);
	assert_int_equal(l.options.max_size, 0);
	assert_int_equal(l.options.force_link, LINK_NONE);
	assert_null(l.options.files[REPORT_FOLDED]);
	options_free(&l.options);
}

static void takes_the_name_of_a_command(void **state)
{
	struct line l;

	expect_good(&l, "top -p 12");
	assert_int_equal(l.options.action, ACTION_TOP);
	assert_int_equal(l.options.interval_ms, TOP_INTERVAL_MS);
	options_free(&l.options);
	expect_good(&l, "top -i 5 -p 12");
	assert_int_equal(l.options.interval_ms, 5000);
	options_free(&l.options);
	/* Only as the first word. */
	expect_good(&l, "-- top");
	assert_int_equal(l.options.action, ACTION_PROFILE);
	options_free(&l.options);
}

static void takes_every_option(void **state)
{
	struct line l;

	expect_good(&l, "-i 2.5 -d 5m -n 3 --folded out.txt --older 1h "
			"--min-size 16 --max-size 4K --sample-bytes 512K "
			"--max-memory 32MiB --mmap -q --link=multi -p 7");
	assert_int_equal(l.options.interval_ms, 2500);
	assert_int_equal(l.options.duration_ms, 300000);
	assert_int_equal(l.options.top, 3);
	assert_string_equal(l.options.files[REPORT_FOLDED], "out.txt");
	assert_int_equal(l.options.older_ms, 3600000);
	assert_int_equal(l.options.min_size, 16);
	assert_int_equal(l.options.max_size, 4096);
	assert_int_equal(l.options.sample_bytes, 512 << 10);
	assert_int_equal(l.options.max_memory, 32 << 20);
	assert_true(l.options.memory_maps && l.options.quiet);
	assert_int_equal(l.options.growth, GROWTH_IF_NEEDED);
	assert_int_equal(l.options.growth_sample_bytes, 512 << 10);
	assert_int_equal(l.options.force_link, LINK_MULTI);
	options_free(&l.options);
	expect_good(&l, "--explain -v --interval=1 --duration 9 --top=0 "
			"--pid=9 --sample-bytes 0");
	assert_int_equal(l.options.action, ACTION_EXPLAIN);
	assert_true(l.options.verbose);
	assert_int_equal(l.options.top, 0);
	assert_int_equal(l.options.sample_bytes, 0);
	options_free(&l.options);
}

static void joins_processes_and_drops_repetitions(void **state)
{
	struct line l;

	expect_good(&l, "-p 5,6 -p 7 -p 6,5,8");
	assert_int_equal(l.options.pid_count, 4);
	assert_int_equal(l.options.pids[0], 5);
	assert_int_equal(l.options.pids[1], 6);
	assert_int_equal(l.options.pids[2], 7);
	assert_int_equal(l.options.pids[3], 8);
	options_free(&l.options);
}

static void takes_a_command(void **state)
{
	struct line l = {.argv = {"leakbpf", "-c", "a 'b c' -p 5", "-i", "3"},
			 .argc = 5};

	parse_words(&l);
	assert_int_equal(l.code, EXIT_CODE_OK);
	assert_string_equal(l.options.command[0], "a");
	assert_string_equal(l.options.command[1], "b c");
	assert_string_equal(l.options.command[2], "-p");
	assert_string_equal(l.options.command[3], "5");
	assert_null(l.options.command[4]);
	assert_int_equal(l.options.pid_count, 0);
	assert_int_equal(l.options.interval_ms, 3000);
	options_free(&l.options);
	expect_good(&l, "-d 3 -- prog -i 5 --help");
	assert_string_equal(l.options.command[0], "prog");
	assert_string_equal(l.options.command[3], "--help");
	assert_int_equal(l.options.interval_ms, 10000);
	options_free(&l.options);
}

static void help_and_version_need_nothing_else(void **state)
{
	struct line l;

	expect_good(&l, "--help");
	assert_int_equal(l.options.action, ACTION_HELP);
	options_free(&l.options);
	expect_good(&l, "-h -i nonsense");
	assert_int_equal(l.options.action, ACTION_HELP);
	options_free(&l.options);
	expect_good(&l, "--version");
	assert_int_equal(l.options.action, ACTION_VERSION);
	options_free(&l.options);
}

static void names_what_is_wrong(void **state)
{
	static const char seconds[] =
		": not a time in seconds (0.1 to 86400; 90, 2.5, 5m, 1h)";
	static const char *const bad_seconds[] = {"0",
						  "abc",
						  "-1",
						  "1x",
						  "",
						  "0.01",
						  "1e3",
						  "nan",
						  "inf",
						  "86401",
						  "0x5",
						  "5.",
						  ".5",
						  "1.2345",
						  "5 ",
						  "+5",
						  "25h",
						  "99999999999999999999",
						  "18446744073709551615h"};
	char text[128], message[256];

	for (size_t i = 0; i < sizeof(bad_seconds) / sizeof(*bad_seconds);
	     i++) {
		struct line l = {.argv = {"leakbpf", "-p", "5", "-i",
					  (char *)bad_seconds[i]},
				 .argc = 5};

		parse_words(&l);
		snprintf(message, sizeof(message), "-i '%s'%s", bad_seconds[i],
			 seconds);
		if (l.code != EXIT_CODE_USAGE || strcmp(l.error, message))
			fail_msg("-i '%s': seen %d \"%s\"", bad_seconds[i],
				 l.code, l.error);
		options_free(&l.options);
	}
	expect_error("-p 5 -d 0", "-d '0': not a time in seconds (0.1 to "
				  "31622400; 90, 2.5, 5m, 1h)");
	expect_error("-p 5 --older x", "--older 'x': not a time in seconds (0 "
				       "to 31622400; 90, 2.5, 5m, 1h)");
	expect_error("-p 5 -n ten",
		     "-n 'ten': not a number of stacks (0 for all, to 100000)");
	expect_error("-p 5 -n -1",
		     "-n '-1': not a number of stacks (0 for all, to 100000)");
	expect_error("-p 5 --min-size 1X",
		     "--min-size '1X': not a size in bytes (0 to 128T; K, M, "
		     "G for powers of 1024)");
	expect_error("-p 5 --max-size 0",
		     "--max-size '0': not a size in bytes (1 to 128T; K, M, G "
		     "for powers of 1024)");
	expect_error("-p 5 --sample-bytes 65M",
		     "--sample-bytes '65M': not a size in bytes (0 for every "
		     "block, to 64M; K, M, G for powers of 1024)");
	expect_error("-p 5 --max-memory 1K",
		     "--max-memory '1K': not a size in bytes (1M to 64G; K, "
		     "M, G for powers of 1024)");
	expect_error("-p 5 --max-memory 99999999999T",
		     "--max-memory '99999999999T': not a size in bytes (1M to "
		     "64G; K, M, G for powers of 1024)");
	expect_error("-p 5 --min-size 9 --max-size 8",
		     "--min-size 9 is larger than --max-size 8: no block "
		     "would be counted");
	expect_error("-p 5 --folded=", "--folded '': the file name is empty");
	expect_error("-p 5 --link=fast",
		     "--link 'fast': must be session, multi or perf");
	expect_error("-p 5 -q -v",
		     "give either --quiet or --verbose, not both");
	expect_error("-p 5 --explain --folded x",
		     "--explain writes no report, so --folded cannot be given "
		     "with it");
	snprintf(text, sizeof(text), "-p %d", getpid());
	snprintf(message, sizeof(message),
		 "-p %d is leakbpf itself: give another process", getpid());
	expect_error(text, message);
}

static void refuses_what_is_no_pid(void **state)
{
	static const char *const bad[] = {
		"0",	"-1",	   "x",
		"1,",	",1",	   "1,,2",
		"1;2",	"4194305", "1234567890123456789",
		"0x10", ""};
	char message[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct line l = {.argv = {"leakbpf", "-p", (char *)bad[i]},
				 .argc = 3};

		parse_words(&l);
		snprintf(message, sizeof(message),
			 "-p '%s': not a process id (a number from 1 to "
			 "4194304; several with commas)",
			 bad[i]);
		if (l.code != EXIT_CODE_USAGE || strcmp(l.error, message))
			fail_msg("-p '%s': seen %d \"%s\"", bad[i], l.code,
				 l.error);
		options_free(&l.options);
	}
}

static void names_unknown_and_incomplete_options(void **state)
{
	expect_error("",
		     "nothing to trace: give -p PID, --container NAME or -c "
		     "'COMMAND'; see "
		     "leakbpf --help");
	expect_error("-p 5 --nonsense", "unknown or ambiguous option "
					"--nonsense; see leakbpf --help");
	expect_error("-p 5 --m 4",
		     "unknown or ambiguous option --m; see leakbpf --help");
	expect_error("-p 5 -x", "unknown option -x; see leakbpf --help");
	expect_error("-p", "-p needs a value; see leakbpf --help");
	expect_error("-p 5 --older",
		     "--older needs a value; see leakbpf --help");
	expect_error("-p 5 --mmap --growth",
		     "--mmap sets probes, --growth sets none: give one of "
		     "them");
	expect_error("-p 5 --explain --growth",
		     "--growth sets no probes: there is nothing to explain");
	expect_error("-p 5 --mmap=yes",
		     "--mmap=yes: this option takes no value");
	expect_error("5", "unexpected word '5': a process is given with -p "
			  "PID, a command with -c 'COMMAND'");
	expect_error("-p 5 6", "unexpected word '6': a process is given with "
			       "-p PID, a command with -c 'COMMAND'");
	expect_error("-p 5 -- true",
		     "give either -p PID or a command, not both");
	expect_error("-c true -- true",
		     "give the command either with -c or behind --, not both");
	expect_error("-c a -c b", "-c can be given once only");
	expect_error("-c 'a", "-c ''a': no command, or a quotation that does "
			      "not end");
	expect_error("-c ", "-c '': the command is empty");
}

/* ---- Splitting ------------------------------------------------------------
 */

static void expect_words(const char *text, const char *const *expected)
{
	char **words;

	assert_int_equal(split_words(text, &words), 0);
	for (size_t i = 0; expected[i] || words[i]; i++)
		if (!expected[i] || !words[i] || strcmp(expected[i], words[i]))
			fail_msg("<%s> word %zu: expected <%s>, seen <%s>",
				 text, i, expected[i] ? expected[i] : "none",
				 words[i] ? words[i] : "none");
	free(words);
}

static void splits_as_a_shell_does(void **state)
{
	expect_words("a", (const char *[]){"a", NULL});
	expect_words("  a\t b\nc ", (const char *[]){"a", "b", "c", NULL});
	expect_words("a 'b  \\ c' \"d 'e' \\\"f\\\\ \\g\"",
		     (const char *[]){"a", "b  \\ c", "d 'e' \"f\\ \\g", NULL});
	expect_words("a\\ b \\'c \\\\",
		     (const char *[]){"a b", "'c", "\\", NULL});
	expect_words("x'y'\"z\"w ''", (const char *[]){"xyzw", "", NULL});
	expect_words("a \"\" b", (const char *[]){"a", "", "b", NULL});
	expect_words("a\\\nb \"c\\\nd\"", (const char *[]){"ab", "cd", NULL});
	expect_words("echo $HOME `id` $(id) * ~ #x",
		     (const char *[]){"echo", "$HOME", "`id`", "$(id)", "*",
				      "~", "#x", NULL});
}

static void refuses_unfinished_quotations(void **state)
{
	static const char *const bad[] = {"",	  "   ",  "'a",	     "a \"b",
					  "a \\", "'' a", "\"a\\\"", "a 'b''"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		char **words = NULL;
		int err = split_words(bad[i], &words);

		if (err != -EINVAL)
			fail_msg("<%s>: expected -EINVAL, seen %d", bad[i],
				 err);
	}
}

static void help_names_every_option_and_exit_status(void **state)
{
	static const char *const words[] = {
		"--pid",	"--command",  "--mmap",	     "--interval",
		"--duration",	"--top",      "--folded",    "--pprof",
		"--json",	"--svg",      "--html",	     "--older",
		"--min-size",	"--max-size", "--explain",   "--sample-bytes",
		"--max-memory", "--quiet",    "--verbose",   "--version",
		"--help",	"--growth",   "--no-growth",
#define X(id, number, text) text,
		EXIT_CODES(X)
#undef X
	};
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	assert_non_null(f);
	help_print(f);
	fclose(f);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strstr(text, words[i]))
			fail_msg("--help does not mention \"%s\"", words[i]);
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strlen(line) > 79)
			fail_msg("wider than 79 columns: \"%s\"", line);
	free(text);
}

/* groff input to plain text, as far as this page uses it. */
static char *read_man_page(void)
{
	FILE *f = fopen("man/leakbpf.1", "re");
	char *text = calloc(1, 1 << 16), *to = text;
	size_t size;

	if (!f)
		fail_msg("man/leakbpf.1: %s (run the tests from the top of "
			 "the source tree)",
			 strerror(errno));
	assert_non_null(text);
	size = fread(text, 1, (1 << 16) - 1, f);
	fclose(f);
	for (size_t i = 0; i < size; i++) {
		if (!strncmp(text + i, "\\-", 2))
			continue; /* "\-" is "-" */
		if (!strncmp(text + i, "\\(aq", 4)) {
			*to++ = '\'';
			i += 3;
			continue;
		}
		*to++ = text[i];
	}
	*to = '\0';
	return text;
}

static void man_page_agrees_with_the_program(void **state)
{
	static const char *const words[] = {
		"--pid",	 "--command",	"--mmap",     "--interval",
		"--duration",	 "--top",	"--folded=",  "--pprof=",
		"--json=",	 "--svg=",	"--html=",    "--older=",
		"--min-size=",	 "--max-size=", "--explain",  "--sample-bytes=",
		"--max-memory=", "--quiet",	"--verbose",  "--version",
		"--help",	 "--growth",	"--no-growth"};
	static const struct {
		int number;
		const char *text;
	} codes[] = {
#define X(id, number, text) {number, text},
		EXIT_CODES(X)
#undef X
	};
	char *page = read_man_page(), *status = strstr(page, "EXIT STATUS");
	char line[128];

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strstr(page, words[i]))
			fail_msg("the man page lacks %s", words[i]);
	assert_non_null(status);
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		snprintf(line, sizeof(line), "\n.B %d\n%s", codes[i].number,
			 codes[i].text);
		/* The page breaks one text for its markup. */
		if (codes[i].number == EXIT_CODE_COMMAND)
			snprintf(line, sizeof(line), "\n.B 12\nthe command of");
		if (!strstr(status, line))
			fail_msg("EXIT STATUS lacks \"%s\"", line);
	}
	snprintf(line, sizeof(line), "Default %lluK.",
		 (unsigned long long)SAMPLE_BYTES_DEFAULT >> 10);
	if (!strstr(page, line))
		fail_msg("the man page lacks \"%s\" (--sample-bytes)", line);
	free(page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_defaults),
		cmocka_unit_test(takes_the_name_of_a_command),
		cmocka_unit_test(takes_every_option),
		cmocka_unit_test(joins_processes_and_drops_repetitions),
		cmocka_unit_test(takes_a_command),
		cmocka_unit_test(help_and_version_need_nothing_else),
		cmocka_unit_test(names_what_is_wrong),
		cmocka_unit_test(refuses_what_is_no_pid),
		cmocka_unit_test(names_unknown_and_incomplete_options),
		cmocka_unit_test(splits_as_a_shell_does),
		cmocka_unit_test(refuses_unfinished_quotations),
		cmocka_unit_test(help_names_every_option_and_exit_status),
		cmocka_unit_test(man_page_agrees_with_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
