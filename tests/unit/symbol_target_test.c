/* SPDX-License-Identifier: GPL-2.0-only */
/* Debug files in the file system of a target, which arranges it as it likes. */
#include <signal.h>
#include <sys/wait.h>

#include "symbol_fixture.h"

static const char source[] = "__attribute__((noinline)) int work(int x)\n"
			     "{\n"
			     "	where(\"work\", __LINE__, 0, 0);\n"
			     "	return x + 1;\n"
			     "}\n"
			     "int main(int argc, char **argv)\n"
			     "{\n"
			     "	return work(argc) == 0;\n"
			     "}\n";

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fixture_start(f, NULL);
	fixture_write(f, "work.c", fixture_common, source);
	assert_int_equal(fixture_run(f, "gcc -O1 -g -o program work.c"), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	free(f);
	return 0;
}

/* A process that lives in FOLDER/root, waiting to be killed. */
static pid_t start_target(const struct fixture *f)
{
	char path[128], link[128], seen[256] = "";

	snprintf(path, sizeof(path), "%s/root", f->folder);
	pid_t child = fork();
	if (child == 0) {
		if (chroot(path) == 0 && chdir("/") == 0)
			pause();
		_exit(1);
	}
	snprintf(link, sizeof(link), "/proc/%d/root", child);
	for (int i = 0; i < 500 && strcmp(seen, path); i++) {
		ssize_t n = readlink(link, seen, sizeof(seen) - 1);

		assert_true(n > 0);
		seen[n] = '\0';
		usleep(5000);
	}
	assert_string_equal(seen, path);
	return child;
}

static void end_target(pid_t child)
{
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

/* FOLDER/root holds the stripped program; its debug file is in FOLDER. */
static void prepare_root(struct fixture *f)
{
	assert_int_equal(
		fixture_run(f, "mkdir -p root/usr/lib/debug/.build-id && "
			       "gcc -O1 -g -Wl,--build-id=0xaabbccddeeff0011 "
			       "-o program work.c && "
			       "objcopy --only-keep-debug program work.debug "
			       "&& strip -o root/bare program"),
		0);
}

static const struct symbol *resolve_for(struct fixture *f, const char *file,
					pid_t pid)
{
	uint32_t lines[3];
	uint64_t address = fixture_where(f, "program", "work", lines);
	struct object *o = fixture_open(f, file);
	uint64_t frame = frame_of(o, address);

	assert_int_equal(symbolizer_resolve(f->symbols, pid, &frame, 1), 0);
	return symbolizer_get(f->symbols, frame);
}

static void debug_files_of_the_targets_root_outlive_the_target(void **state)
{
	struct fixture *f = *state;

	if (getuid() != 0)
		skip();
	prepare_root(f);
	assert_int_equal(
		fixture_run(f, "cd root/usr/lib/debug/.build-id && mkdir aa && "
			       "cp ../../../../../work.debug "
			       "aa/bbccddeeff0011.debug"),
		0);
	pid_t target = start_target(f);
	assert_int_equal(symbolizer_resolve(f->symbols, target, NULL, 0), 0);
	end_target(target);
	const struct symbol *s = resolve_for(f, "root/bare", target);
	check_level(s, 0, "work", "work.c", s->levels[0].line, false);
	assert_true(s->levels[0].line > 0);
}

static void debug_files_are_not_opened_outside_the_targets_root(void **state)
{
	static const char *const traps[] = {
		/* Links, absolute and relative, to the real debug file. */
		"ln -s $OUT/aa root/usr/lib/debug/.build-id/aa",
		"ln -s ../../../../../aa root/usr/lib/debug/.build-id/aa",
		"mkdir root/usr/lib/debug/.build-id/aa && ln -s "
		"$OUT/work.debug "
		"root/usr/lib/debug/.build-id/aa/bbccddeeff0011.debug",
		/* Nothing to wait for. */
		"mkdir root/usr/lib/debug/.build-id/aa && mkfifo "
		"root/usr/lib/debug/.build-id/aa/bbccddeeff0011.debug",
	};
	struct fixture *f = *state;

	if (getuid() != 0)
		skip();
	prepare_root(f);
	assert_int_equal(fixture_run(f, "mkdir aa && cp work.debug "
					"aa/bbccddeeff0011.debug"),
			 0);
	for (size_t i = 0; i < sizeof(traps) / sizeof(traps[0]); i++) {
		assert_int_equal(
			fixture_run(f,
				    "export OUT=$PWD && rm -rf "
				    "root/usr/lib/debug/.build-id/aa && "
				    "strip -o root/bare%zu program && %s",
				    i, traps[i]),
			0);
		/* Another object each time: answers are remembered. */
		char file[32];
		snprintf(file, sizeof(file), "root/bare%zu", i);
		pid_t target = start_target(f);
		bool named = resolve_for(f, file, target)->named;
		end_target(target);
		assert_false(named);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(debug_files_of_the_targets_root_outlive_the_target),
		TEST(debug_files_are_not_opened_outside_the_targets_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
