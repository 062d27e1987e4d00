/* SPDX-License-Identifier: GPL-2.0-only */
/* Servers that do not do what they should; good ones: tests/e2e. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "symbol/debuginfod.h"

static const struct debuginfod_options options = {
	.file_seconds = 1,
	.total_seconds = 30,
};
static const uint8_t id[] = {0xde, 0xad, 0x11, 0x22, 0x33, 0x44};
static const uint8_t other[] = {0xde, 0xad, 0x11, 0x22, 0x33, 0x45};

/* Connections wait in its queue for ever. */
static int silent_server(char url[64])
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t size = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 5), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	snprintf(url, 64, "http://127.0.0.1:%d", ntohs(a.sin_port));
	return fd;
}

static double seconds_since(uint64_t ns)
{
	return (double)(monotonic_ns() - ns) / 1e9;
}

static void nothing_is_started_unless_a_server_is_named(void **state)
{
	unsetenv("DEBUGINFOD_URLS");
	assert_null(debuginfod_start(&options, NULL));
	setenv("DEBUGINFOD_URLS", "http://127.0.0.1:1", 1);
	assert_null(debuginfod_start(&options, ""));
	unsetenv("DEBUGINFOD_URLS");
	debuginfod_stop(NULL);
}

static void a_silent_server_is_waited_for_once_and_not_for_long(void **state)
{
	char url[64];
	int server = silent_server(url);
	struct debuginfod *d = debuginfod_start(&options, url);
	uint64_t started = monotonic_ns();
	double seconds;
	int fd;

	assert_non_null(d);
	fd = debuginfod_open(d, id, sizeof(id), "test");
	seconds = seconds_since(started);
	if (fd >= 0 || seconds > 8)
		fail_msg("expected an error after 1 to 3 s, seen %d after "
			 "%.1f s",
			 fd, seconds);
	started = monotonic_ns();
	assert_int_equal(debuginfod_open(d, id, sizeof(id), "test"), -ENOENT);
	seconds = seconds_since(started);
	if (seconds > 0.5)
		fail_msg("asked again: expected no wait, seen %.1f s", seconds);
	started = monotonic_ns();
	debuginfod_stop(d);
	assert_true(seconds_since(started) < 5);
	close(server);
}

static void without_time_left_no_server_is_asked(void **state)
{
	struct debuginfod_options hurry = {.file_seconds = 1};
	struct debuginfod *d = debuginfod_start(&hurry, "http://127.0.0.1:1");

	assert_int_equal(debuginfod_open(d, id, sizeof(id), "test"),
			 -ETIMEDOUT);
	debuginfod_stop(d);
}

static void nonsense_is_not_asked_for(void **state)
{
	struct debuginfod *d = debuginfod_start(&options, "http://127.0.0.1:1");
	uint8_t huge[64] = {1};

	assert_int_equal(debuginfod_open(d, huge, sizeof(huge), "test"),
			 -EINVAL);
	assert_int_equal(debuginfod_open(d, huge, 1, "test"), -EINVAL);
	/* Nobody listens there: no file, and no harm done. */
	assert_int_equal(debuginfod_open(d, other, sizeof(other), "test"),
			 -ENOENT);
	debuginfod_stop(d);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_started_unless_a_server_is_named),
		cmocka_unit_test(
			a_silent_server_is_waited_for_once_and_not_for_long),
		cmocka_unit_test(without_time_left_no_server_is_asked),
		cmocka_unit_test(nonsense_is_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
