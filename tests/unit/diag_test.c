/* SPDX-License-Identifier: GPL-2.0-only */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/diag.h"

/* What `say` writes to standard error, which is `end`; read from `from`. */
static void said(int from, int end, void (*say)(void), char *text, size_t size)
{
	int before = dup(STDERR_FILENO);
	struct pollfd ready = {.fd = from, .events = POLLIN};
	size_t used = 0;

	fcntl(from, F_SETFL, O_NONBLOCK);
	dup2(end, STDERR_FILENO);
	say();
	dup2(before, STDERR_FILENO);
	close(before);
	/* A terminal hands out what was written piece by piece. */
	while (poll(&ready, 1, 200) > 0) {
		ssize_t got = read(from, text + used, size - 1 - used);

		if (got <= 0)
			break;
		used += (size_t)got;
	}
	text[used] = '\0';
}

static void slow_work(void)
{
	diag_progress("indexing %s", "a\nb");
	diag_info("done");
	diag_progress("again");
	diag_progress_end();
	diag_progress_end();
}

static void progress_is_for_terminals(void **state)
{
	char text[256];
	int ends[2], terminal, controller;

	assert_int_equal(openpty(&controller, &terminal, NULL, NULL, NULL), 0);
	said(controller, terminal, slow_work, text, sizeof(text));
	assert_string_equal(text, "\r\033[Kleakbpf: indexing a\\x0ab..."
				  "\r\033[Kleakbpf: done\r\n"
				  "\r\033[Kleakbpf: again...\r\033[K");
	diag_set_level(DIAG_WARN);
	said(controller, terminal, slow_work, text, sizeof(text));
	assert_string_equal(text, "");
	diag_set_level(DIAG_INFO);
	assert_int_equal(pipe(ends), 0);
	said(ends[0], ends[1], slow_work, text, sizeof(text));
	assert_string_equal(text, "leakbpf: done\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress_is_for_terminals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
