/* SPDX-License-Identifier: GPL-2.0-only */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "symbol/perf_map.h"
#include "symbol_fixture.h"

static struct perf_match *parse(const char *text, size_t piece,
				const uint64_t *addresses, size_t count)
{
	struct perf_match *matches = calloc(count, sizeof(*matches));
	struct perf_map_reader reader = {.matches = matches, .count = count};
	size_t size = strlen(text);

	for (size_t i = 0; i < count; i++)
		matches[i].address = addresses[i];
	for (size_t at = 0; at < size; at += piece)
		perf_map_feed(&reader, text + at,
			      size - at < piece ? size - at : piece);
	return matches;
}

static void release(struct perf_match *matches, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(matches[i].name);
	free(matches);
}

static void the_line_that_covers_an_address_names_it(void **state)
{
	static const char text[] = "1000 10 first\n"
				   "1010 20 LazyCompile:*foo /a b.js:1:2\n"
				   "0x2000 0x8 prefixed\n";
	static const uint64_t addresses[] = {0xfff,  0x1000, 0x100f, 0x1010,
					     0x102f, 0x1030, 0x2007};
	static const char *const names[] = {
		NULL,
		"first",
		"first",
		"LazyCompile:*foo /a b.js:1:2",
		"LazyCompile:*foo /a b.js:1:2",
		NULL,
		"prefixed",
	};

	for (size_t piece = 1; piece < 80; piece += 13) {
		struct perf_match *m = parse(text, piece, addresses, 7);

		for (size_t i = 0; i < 7; i++) {
			if (names[i])
				assert_string_equal(m[i].name, names[i]);
			else
				assert_null(m[i].name);
		}
		assert_int_equal(m[4].start, 0x1010);
		release(m, 7);
	}
}

static void a_later_line_replaces_an_earlier_one(void **state)
{
	static const uint64_t address = 0x1008;
	struct perf_match *m = parse("1000 10 old\n1004 8 new\n2000 10 other\n",
				     100, &address, 1);

	assert_string_equal(m[0].name, "new");
	assert_int_equal(m[0].start, 0x1004);
	release(m, 1);
}

static void malformed_lines_are_skipped(void **state)
{
	static const char text[] = "\n \n1000\n1000 \n1000 10\n1000 10 \n"
				   "xyz 10 name\n1000 zz name\n-1 10 name\n"
				   "11112222333344445 10 name\n"
				   "ffffffffffffffff ffffffffffffffff wraps\n"
				   "1000 10 good\n1000 10 no newline";
	static const uint64_t address = 0x1000;
	struct perf_match *m = parse(text, 1000, &address, 1);

	assert_string_equal(m[0].name, "good");
	release(m, 1);
}

static void overlong_names_are_shortened(void **state)
{
	static const uint64_t address = 0x1000;
	size_t size = 100000;
	char *text = malloc(size + 2);

	memset(text, 'n', size);
	memcpy(text, "1000 10 ", 8);
	strcpy(text + size, "\n");
	struct perf_match *m = parse(text, 4096, &address, 1);
	assert_int_equal(strlen(m[0].name), PERF_MAP_NAME_MAX);
	release(m, 1);
	free(text);
}

static void the_work_is_bounded(void **state)
{
	struct perf_match *m = calloc(1000, sizeof(*m));
	struct perf_map_reader reader = {.matches = m, .count = 1000};
	time_t start = time(NULL);

	for (size_t i = 0; i < 1000; i++)
		m[i].address = 0x1000 + i;
	for (int i = 0; i < 1000000; i++)
		perf_map_feed(&reader, "1 ffffffff all\n", 15);
	assert_true(time(NULL) - start < 20);
	release(m, 1000);
}

/* ---- Through the symbolizer --------------------------------------------- */

struct jit {
	struct fixture fixture;
	char path[64];
};

static int setup(void **state)
{
	struct jit *j = calloc(1, sizeof(*j));

	fixture_start(&j->fixture, NULL);
	snprintf(j->path, sizeof(j->path), "/tmp/perf-%d.map", getpid());
	unlink(j->path);
	*state = j;
	return 0;
}

static int teardown(void **state)
{
	struct jit *j = *state;

	unlink(j->path);
	fixture_stop(&j->fixture);
	free(j);
	return 0;
}

static void write_map(const char *path, const char *text, const char *mode)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static const struct symbol *resolve(struct jit *j, uint64_t address)
{
	assert_int_equal(
		symbolizer_resolve(j->fixture.symbols, getpid(), &address, 1),
		0);
	return symbolizer_get(j->fixture.symbols, address);
}

static void generated_code_is_named(void **state)
{
	struct jit *j = *state;

	write_map(j->path, "7f0000001000 100 JS:~bad\033name\n", "w");
	const struct symbol *s = resolve(j, 0x7f0000001010);
	assert_true(s->named);
	assert_string_equal(s->levels[0].function, "JS:~bad?name");
	assert_int_equal(s->function_offset, 0x10);
	assert_string_equal(s->module, "");
	/* Compiled after the last look. */
	assert_false(resolve(j, 0x7f0000002010)->named);
	write_map(j->path, "7f0000002000 100 later\n", "a");
	assert_string_equal(resolve(j, 0x7f0000002010)->levels[0].function,
			    "later");
}

static void a_map_of_another_user_is_not_read(void **state)
{
	struct jit *j = *state;

	if (getuid() != 0)
		skip();
	/* A target of user 1000, a map left behind by user 1001. */
	pid_t child = fork();
	if (child == 0) {
		if (setresuid(1000, 1000, 1000) == 0)
			pause();
		_exit(1);
	}
	char path[64];
	uint64_t address = 0x7f0000001010;
	struct stat st = {0};
	snprintf(path, sizeof(path), "/proc/%d", child);
	for (int i = 0; i < 300 && st.st_uid != 1000; i++) {
		usleep(10000);
		assert_int_equal(stat(path, &st), 0);
	}
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", child);
	write_map(path, "7f0000001000 100 theirs\n", "w");
	assert_int_equal(chown(path, 1001, 1001), 0);
	symbolizer_resolve(j->fixture.symbols, child, &address, 1);
	bool foreign = symbolizer_get(j->fixture.symbols, address)->named;
	assert_int_equal(chown(path, 1000, 1000), 0);
	symbolizer_resolve(j->fixture.symbols, child, &address, 1);
	bool own = symbolizer_get(j->fixture.symbols, address)->named;
	unlink(path);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(foreign);
	assert_true(own);
}

static void links_and_pipes_in_its_place_are_not_read(void **state)
{
	struct jit *j = *state;
	char real[256];

	snprintf(real, sizeof(real), "%s/real", j->fixture.folder);
	write_map(real, "7f0000001000 100 linked\n", "w");
	assert_int_equal(symlink(real, j->path), 0);
	assert_false(resolve(j, 0x7f0000001010)->named);
	unlink(j->path);
	assert_int_equal(mkfifo(j->path, 0600), 0);
	assert_false(resolve(j, 0x7f0000001010)->named);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_that_covers_an_address_names_it),
		cmocka_unit_test(a_later_line_replaces_an_earlier_one),
		cmocka_unit_test(malformed_lines_are_skipped),
		cmocka_unit_test(overlong_names_are_shortened),
		cmocka_unit_test(the_work_is_bounded),
		TEST(generated_code_is_named),
		TEST(a_map_of_another_user_is_not_read),
		TEST(links_and_pipes_in_its_place_are_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
