/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/diag.h"
#include "base/text.h"

static void appends_and_formats(void **state)
{
	struct text t = {0};

	text_add(&t, "leak");
	text_append(&t, "-ignored", 1);
	text_printf(&t, "%d/%s", 42, "x");
	assert_false(t.failed);
	assert_string_equal(t.data, "leak-42/x");
	assert_int_equal(t.size, strlen("leak-42/x"));
	text_free(&t);
	assert_null(t.data);
}

static void grows_over_many_appends(void **state)
{
	struct text t = {0};

	for (int i = 0; i < 10000; i++)
		text_printf(&t, "%05d,", i);
	assert_int_equal(t.size, 60000);
	assert_memory_equal(t.data + 6 * 1234, "01234,", 6);
	assert_int_equal(t.data[t.size], 0);
	text_free(&t);
}

static void keeps_embedded_zero_bytes(void **state)
{
	struct text t = {0};

	text_append(&t, "a\0b", 3);
	assert_int_equal(t.size, 3);
	assert_memory_equal(t.data, "a\0b", 4);
	text_free(&t);
}

static void clearing_keeps_the_memory(void **state)
{
	struct text t = {0};
	size_t capacity;

	text_add(&t, "something");
	capacity = t.capacity;
	text_clear(&t);
	assert_string_equal(t.data, "");
	assert_int_equal(t.size, 0);
	assert_int_equal(t.capacity, capacity);
	text_free(&t);
}

static void an_impossible_size_fails_once_and_for_all(void **state)
{
	struct text t = {0};

	text_add(&t, "kept");
	text_append(&t, "", SIZE_MAX);
	assert_true(t.failed);
	text_add(&t, " dropped");
	assert_string_equal(t.data, "kept");
	text_free(&t);
}

static void escapes_control_bytes_only(void **state)
{
	char to[64];

	assert_string_equal(diag_escape(to, sizeof(to), "a\n\033[31m\x7fé"),
			    "a\\x0a\\x1b[31m\\x7fé");
}

static void escaping_truncates_at_whole_escapes(void **state)
{
	char to[6];

	assert_string_equal(diag_escape(to, sizeof(to), "ab\n"), "ab");
	assert_string_equal(diag_escape(to, sizeof(to), "a\nb"), "a\\x0a");
	assert_string_equal(diag_escape(to, sizeof(to), "abcdefgh"), "abcde");
	assert_string_equal(diag_escape(to, 1, "abc"), "");
}

/* What diag() writes to standard error, in `to`. */
static void captured_diag(char *to, size_t size, enum diag_level level,
			  const char *argument)
{
	int saved = dup(STDERR_FILENO), pipe_fds[2];
	ssize_t got;

	assert_int_equal(pipe(pipe_fds), 0);
	dup2(pipe_fds[1], STDERR_FILENO);
	close(pipe_fds[1]);
	diag(level, "cannot open '%s'", argument);
	dup2(saved, STDERR_FILENO);
	close(saved);
	got = read(pipe_fds[0], to, size - 1);
	to[got < 0 ? 0 : got] = 0;
	close(pipe_fds[0]);
}

static void a_message_is_one_prefixed_harmless_line(void **state)
{
	char seen[256];

	captured_diag(seen, sizeof(seen), DIAG_ERROR, "a\033]0;title\007\nb");
	assert_string_equal(
		seen, "leakbpf: cannot open 'a\\x1b]0;title\\x07\\x0ab'\n");
}

static void messages_above_the_level_are_dropped(void **state)
{
	char seen[256];

	captured_diag(seen, sizeof(seen), DIAG_DEBUG, "x");
	assert_string_equal(seen, "");
	diag_set_level(DIAG_DEBUG);
	captured_diag(seen, sizeof(seen), DIAG_DEBUG, "x");
	assert_string_equal(seen, "leakbpf: cannot open 'x'\n");
	diag_set_level(DIAG_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(appends_and_formats),
		cmocka_unit_test(grows_over_many_appends),
		cmocka_unit_test(keeps_embedded_zero_bytes),
		cmocka_unit_test(clearing_keeps_the_memory),
		cmocka_unit_test(an_impossible_size_fails_once_and_for_all),
		cmocka_unit_test(escapes_control_bytes_only),
		cmocka_unit_test(escaping_truncates_at_whole_escapes),
		cmocka_unit_test(a_message_is_one_prefixed_harmless_line),
		cmocka_unit_test(messages_above_the_level_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
