/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/http_access.h"

#include <event2/keyvalq_struct.h>
#include <string.h>
#include <strings.h>

#include "serve/http_reply.h"

bool http_token_matches(const char *authorization, const char *token)
{
	static const char scheme[] = "Bearer ";
	size_t length = strlen(token), given, differences = 0;

	if (!authorization ||
	    strncasecmp(authorization, scheme, sizeof(scheme) - 1))
		return false;
	authorization += sizeof(scheme) - 1;
	given = strlen(authorization);
	for (size_t i = 0; i < given; i++)
		differences |= (size_t)(authorization[i] ^
					token[length ? i % length : 0]);
	return length && given == length && !differences;
}

bool http_host_is_loopback(const char *host)
{
	static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

	for (size_t i = 0; host && i < sizeof(names) / sizeof(*names); i++) {
		size_t length = strlen(names[i]);

		if (!strncasecmp(host, names[i], length) &&
		    (!host[length] || host[length] == ':'))
			return true;
	}
	return false;
}

bool http_allowed(const struct http_rules *rules, struct evhttp_request *q,
		  bool is_public)
{
	struct evkeyvalq *headers = evhttp_request_get_input_headers(q);

	if (rules->token[0] && !is_public &&
	    !http_token_matches(evhttp_find_header(headers, "Authorization"),
				rules->token)) {
		http_add_header(q, "WWW-Authenticate", "Bearer");
		http_reply_text(q, 401, "Unauthorized",
				"needs Authorization: Bearer TOKEN");
		return false;
	}
	if (rules->check_host &&
	    !http_host_is_loopback(evhttp_find_header(headers, "Host"))) {
		http_reply_text(q, 403, "Forbidden",
				"ask by the name localhost or its address");
		return false;
	}
	return true;
}
