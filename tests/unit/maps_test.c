/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/maps.h"

static struct maps parse(const char *text)
{
	struct maps m;

	assert_int_equal(maps_parse(&m, text, strlen(text)), 0);
	return m;
}

static void reads_every_field_of_a_line(void **state)
{
	struct maps m =
		parse("55d0c0a00000-55d0c0a21000 r-xp 00002000 "
		      "fe:1a 1234567                    /usr/bin/cat\n");

	assert_int_equal(m.count, 1);
	assert_int_equal(m.skipped, 0);
	assert_int_equal(m.list[0].start, 0x55d0c0a00000);
	assert_int_equal(m.list[0].end, 0x55d0c0a21000);
	assert_int_equal(m.list[0].file_offset, 0x2000);
	assert_int_equal(m.list[0].device, makedev(0xfe, 0x1a));
	assert_int_equal(m.list[0].inode, 1234567);
	assert_true(m.list[0].readable && m.list[0].executable);
	assert_false(m.list[0].writable || m.list[0].shared);
	assert_false(m.list[0].deleted);
	assert_string_equal(m.list[0].path, "/usr/bin/cat");
	maps_free(&m);
}

static void reads_lines_without_a_path(void **state)
{
	struct maps m = parse("1000-2000 rw-p 00000000 00:00 0 \n"
			      "2000-3000 ---s 00000000 00:00 0\n"
			      "ffffffffff600000-ffffffffff601000 --xp 00000000 "
			      "00:00 0                  [vsyscall]");

	assert_int_equal(m.count, 3);
	assert_string_equal(m.list[0].path, "");
	assert_string_equal(m.list[1].path, "");
	assert_true(m.list[1].shared);
	assert_string_equal(m.list[2].path, "[vsyscall]");
	assert_int_equal(m.list[2].inode, 0);
	maps_free(&m);
}

static void keeps_blanks_and_unescapes_line_breaks_in_names(void **state)
{
	struct maps m =
		parse("1000-2000 r-xp 0 08:01 5 /tmp/a b  c \n"
		      "2000-3000 r-xp 0 08:01 6 /tmp/two\\012lines\n"
		      "3000-4000 r-xp 0 08:01 7 /tmp/back\\slash\\0123\n"
		      "4000-5000 r-xp 0 08:01 8 /tmp/\\01\n");

	assert_int_equal(m.count, 4);
	assert_string_equal(m.list[0].path, "/tmp/a b  c ");
	assert_string_equal(m.list[1].path, "/tmp/two\nlines");
	assert_string_equal(m.list[2].path, "/tmp/back\\slash\n3");
	assert_string_equal(m.list[3].path, "/tmp/\\01");
	maps_free(&m);
}

static void strips_one_deleted_suffix_of_files_only(void **state)
{
	struct maps m =
		parse("1000-2000 r-xp 0 08:01 5 /tmp/lib.so (deleted)\n"
		      "2000-3000 r-xp 0 08:01 6 /tmp/x (deleted) (deleted)\n"
		      "3000-4000 r-xp 0 08:01 7 /tmp/(deleted)\n"
		      "4000-5000 r-xp 0 00:00 0 [anon:x (deleted)\n"
		      "5000-6000 r-xp 0 00:01 9 /memfd:jit (deleted)\n"
		      "6000-7000 r-xp 0 08:01 9  (deleted)\n");

	assert_int_equal(m.count, 6);
	assert_string_equal(m.list[0].path, "/tmp/lib.so");
	assert_true(m.list[0].deleted);
	assert_string_equal(m.list[1].path, "/tmp/x (deleted)");
	assert_true(m.list[1].deleted);
	assert_string_equal(m.list[2].path, "/tmp/(deleted)");
	assert_false(m.list[2].deleted);
	assert_string_equal(m.list[3].path, "[anon:x (deleted)");
	assert_false(m.list[3].deleted);
	assert_string_equal(m.list[4].path, "/memfd:jit");
	assert_string_equal(m.list[5].path, "(deleted)");
	maps_free(&m);
}

static void counts_malformed_lines_and_goes_on(void **state)
{
	static const char *const bad[] = {
		"",
		"hello",
		"1000-2000",
		"1000-2000 rwxp",
		"2000-1000 r-xp 0 08:01 5 /end/before/start",
		"1000-1000 r-xp 0 08:01 5 /empty",
		"1000 2000 r-xp 0 08:01 5 /no/dash",
		"1000-2000 q-xp 0 08:01 5 /permission",
		"1000-2000 r-x  0 08:01 5 /permission",
		"1000-2000 r-xp 0 0801 5 /device",
		"1000-2000 r-xp 0 08:01 x /inode",
		"1000-2000 r-xp 0 08:01 5/no/blank",
		"-1000-2000 r-xp 0 08:01 5 /sign",
		"0x1000-2000 r-xp 0 08:01 5 /prefix",
		"10000000000000000-20000000000000000 r-xp 0 08:01 5 /65bits",
		"1000-2000 r-xp 0 08:01 99999999999999999999 /inode",
		"1000-2000 r-xp 0 123456789:01 5 /major",
	};
	char text[512];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct maps m;

		snprintf(text, sizeof(text),
			 "%s\n8000-9000 r-xp 0 08:01 5 /good\n", bad[i]);
		m = parse(text);
		if (m.count != 1 || m.skipped != 1)
			fail_msg("\"%s\": expected 1 kept 1 skipped, seen %zu "
				 "and %zu",
				 bad[i], m.count, m.skipped);
		assert_string_equal(m.list[0].path, "/good");
		maps_free(&m);
	}
}

static void skips_lines_that_overlap_or_go_backwards(void **state)
{
	struct maps m = parse("5000-7000 r-xp 0 08:01 5 /a\n"
			      "6000-8000 r-xp 0 08:01 5 /overlaps\n"
			      "1000-2000 r-xp 0 08:01 5 /backwards\n"
			      "7000-8000 r-xp 0 08:01 5 /b\n");

	assert_int_equal(m.count, 2);
	assert_int_equal(m.skipped, 2);
	assert_string_equal(m.list[1].path, "/b");
	maps_free(&m);
}

static void keeps_no_more_than_the_cap(void **state)
{
	size_t lines = MAPS_LINES_MAX + 10, used = 0;
	char *text = malloc(lines * 64);
	struct maps m;

	assert_non_null(text);
	for (size_t i = 0; i < lines; i++)
		used += (size_t)sprintf(text + used,
					"%zx000-%zx000 r-xp 0 00:00 0 \n",
					i + 1, i + 2);
	assert_int_equal(maps_parse(&m, text, used), 0);
	assert_int_equal(m.count, MAPS_LINES_MAX);
	assert_int_equal(m.skipped, 10);
	maps_free(&m);
	free(text);
}

static void cuts_endless_paths(void **state)
{
	static const char head[] = "1000-2000 r-xp 0 08:01 5 /";
	size_t size = 1 << 20;
	char *text = malloc(size);
	struct maps m;

	assert_non_null(text);
	memset(text, 'a', size);
	memcpy(text, head, sizeof(head) - 1);
	assert_int_equal(maps_parse(&m, text, size), 0);
	assert_int_equal(m.count, 1);
	assert_in_range(strlen(m.list[0].path), 4000, 4095);
	maps_free(&m);
	free(text);
}

static void finds_the_mapping_of_an_address(void **state)
{
	struct maps m = parse("1000-2000 r-xp 0 08:01 5 /a\n"
			      "2000-3000 r-xp 0 08:01 5 /b\n"
			      "5000-6000 r-xp 0 08:01 5 /c\n");

	assert_null(maps_find(&m, 0xfff));
	assert_string_equal(maps_find(&m, 0x1000)->path, "/a");
	assert_string_equal(maps_find(&m, 0x1fff)->path, "/a");
	assert_string_equal(maps_find(&m, 0x2000)->path, "/b");
	assert_null(maps_find(&m, 0x3000));
	assert_null(maps_find(&m, 0x4fff));
	assert_string_equal(maps_find(&m, 0x5fff)->path, "/c");
	assert_null(maps_find(&m, 0x6000));
	maps_free(&m);
	assert_null(maps_find(&m, 0x1000));
}

static void reads_the_maps_of_this_process(void **state)
{
	const struct mapping *code, *stack;
	struct maps all, executable;
	char self[4096];
	ssize_t size = readlink("/proc/self/exe", self, sizeof(self) - 1);
	int local = 0;

	assert_true(size > 0);
	self[size] = '\0';
	assert_int_equal(maps_read(&all, getpid(), false), 0);
	assert_int_equal(maps_read(&executable, getpid(), true), 0);
	assert_int_equal(all.skipped, 0);
	code = maps_find(&all, (uintptr_t)reads_the_maps_of_this_process);
	assert_non_null(code);
	assert_true(code->executable);
	assert_string_equal(code->path, self);
	stack = maps_find(&all, (uintptr_t)&local);
	assert_non_null(stack);
	assert_true(stack->writable);
	assert_null(maps_find(&executable, (uintptr_t)&local));
	assert_non_null(maps_find(&executable,
				  (uintptr_t)reads_the_maps_of_this_process));
	assert_true(executable.count < all.count);
	maps_free(&all);
	maps_free(&executable);
}

/* Names as a hostile target would choose them, mapped for real. */
static void reads_hostile_file_names(void **state)
{
	static const char *const names[] = {
		"a b",
		"two\nlines",
		"literally (deleted)",
		"end\\",
		"1000-2000 r-xp 0 08:01 5 \n1000-2000 r-xp 0 08:01 5 ",
	};
	char directory[] = "/tmp/maps_test.XXXXXX", path[256];

	assert_non_null(mkdtemp(directory));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct mapping *found;
		struct maps m;
		struct stat st;
		void *at;
		int fd;

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		for (char *c = path + strlen(directory) + 1; *c; c++)
			*c = *c == '/' ? '_' : *c;
		fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, 4096), 0);
		assert_int_equal(fstat(fd, &st), 0);
		at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
		assert_true(at != MAP_FAILED);
		assert_int_equal(maps_read(&m, getpid(), false), 0);
		assert_int_equal(m.skipped, 0);
		found = maps_find(&m, (uintptr_t)at);
		assert_non_null(found);
		assert_int_equal(found->inode, st.st_ino);
		if (strstr(path, "(deleted)"))
			assert_true(found->deleted);
		else
			assert_string_equal(found->path, path);
		maps_free(&m);
		unlink(path);
		assert_int_equal(maps_read(&m, getpid(), false), 0);
		found = maps_find(&m, (uintptr_t)at);
		assert_true(found->deleted);
		assert_string_equal(found->path, path);
		maps_free(&m);
		munmap(at, 4096);
		close(fd);
	}
	rmdir(directory);
}

static void reports_a_process_that_is_gone(void **state)
{
	struct maps m;
	pid_t child = fork();

	if (!child)
		_exit(0);
	assert_true(child > 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT),
			 0);
	assert_int_equal(maps_read(&m, child, false), -ESRCH); /* zombie */
	assert_int_equal(m.count, 0);
	waitpid(child, NULL, 0);
	assert_int_equal(maps_read(&m, child, false), -ESRCH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_every_field_of_a_line),
		cmocka_unit_test(reads_lines_without_a_path),
		cmocka_unit_test(
			keeps_blanks_and_unescapes_line_breaks_in_names),
		cmocka_unit_test(strips_one_deleted_suffix_of_files_only),
		cmocka_unit_test(counts_malformed_lines_and_goes_on),
		cmocka_unit_test(skips_lines_that_overlap_or_go_backwards),
		cmocka_unit_test(keeps_no_more_than_the_cap),
		cmocka_unit_test(cuts_endless_paths),
		cmocka_unit_test(finds_the_mapping_of_an_address),
		cmocka_unit_test(reads_the_maps_of_this_process),
		cmocka_unit_test(reads_hostile_file_names),
		cmocka_unit_test(reports_a_process_that_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
