/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses to listen on, and who may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "serve/address.h"
#include "serve/http_access.h"

static void expect_address(const char *text, int family, bool local_only)
{
	struct serve_address a;
	int err = serve_address_parse(text, &a);

	if (err || a.socket.any.sa_family != family ||
	    a.local_only != local_only)
		fail_msg("%s: expected family %d%s; seen error %d, family %d%s",
			 text, family, local_only ? ", local" : "", err,
			 a.socket.any.sa_family, a.local_only ? ", local" : "");
}

static void addresses_are_understood(void **state)
{
	expect_address("127.0.0.1:9850", AF_INET, true);
	expect_address("127.9.9.9:1", AF_INET, true);
	expect_address("localhost:9850", AF_INET, true);
	expect_address("0.0.0.0:9850", AF_INET, false);
	expect_address("10.0.0.1:65535", AF_INET, false);
	expect_address("[::1]:9850", AF_INET6, true);
	expect_address("[::]:9850", AF_INET6, false);
	expect_address("unix:/run/leakbpf.sock", AF_UNIX, true);
}

static void nonsense_is_refused(void **state)
{
	static const char *const texts[] = {
		"",
		":",
		"9850",
		":9850",
		"127.0.0.1",
		"127.0.0.1:",
		"127.0.0.1:65536",
		"127.0.0.1:-1",
		"127.0.0.1:80x",
		"example.org:80",
		"[::1:80",
		"::1]:80",
		"[127.0.0.1]:80",
		"unix:",
		"unix:relative",
		"unix:/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct serve_address a;

		if (serve_address_parse(texts[i], &a) != -EINVAL)
			fail_msg("'%s': expected -EINVAL, was taken", texts[i]);
	}
}

static void an_abandoned_unix_socket_is_replaced(void **state)
{
	struct serve_address a;
	char text[64];
	struct stat st;
	int first, second;

	snprintf(text, sizeof(text), "unix:/tmp/serve_test.%d", (int)getpid());
	assert_int_equal(serve_address_parse(text, &a), 0);
	first = serve_address_listen(&a);
	assert_true(first >= 0);
	assert_int_equal(stat(text + 5, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	/* Somebody listens. */
	assert_int_equal(serve_address_listen(&a), -EADDRINUSE);
	close(first);
	second = serve_address_listen(&a);
	assert_true(second >= 0);
	close(second);
	unlink(text + 5);
}

static void only_the_token_opens(void **state)
{
	const char *token = "0123456789abcdef";

	assert_true(http_token_matches("Bearer 0123456789abcdef", token));
	assert_true(http_token_matches("bearer 0123456789abcdef", token));
	assert_false(http_token_matches(NULL, token));
	assert_false(http_token_matches("", token));
	assert_false(http_token_matches("Bearer ", token));
	assert_false(http_token_matches("Bearer 0123456789abcde", token));
	assert_false(http_token_matches("Bearer 0123456789abcdef0", token));
	assert_false(http_token_matches(
		"Bearer 0123456789abcdef0123456789abcdef", token));
	assert_false(http_token_matches("Bearer 0123456789abcdeF", token));
	assert_false(http_token_matches("Basic 0123456789abcdef", token));
	assert_false(http_token_matches("Bearer ", ""));
}

static void only_loopback_names_are_local(void **state)
{
	assert_true(http_host_is_loopback("localhost"));
	assert_true(http_host_is_loopback("LocalHost:9850"));
	assert_true(http_host_is_loopback("127.0.0.1:9850"));
	assert_true(http_host_is_loopback("[::1]:9850"));
	assert_false(http_host_is_loopback(NULL));
	assert_false(http_host_is_loopback(""));
	assert_false(http_host_is_loopback("localhost.example.org"));
	assert_false(http_host_is_loopback("127.0.0.1.example.org:9850"));
	assert_false(http_host_is_loopback("example.org"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_understood),
		cmocka_unit_test(nonsense_is_refused),
		cmocka_unit_test(an_abandoned_unix_socket_is_replaced),
		cmocka_unit_test(only_the_token_opens),
		cmocka_unit_test(only_loopback_names_are_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
