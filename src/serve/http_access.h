/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may ask the HTTP process for pages. */
#ifndef SERVE_HTTP_ACCESS_H
#define SERVE_HTTP_ACCESS_H

#include <event2/http.h>
#include <stdbool.h>

#include "serve/http.h"

/* `is_public`: the page takes no token. False: it has been answered that it may
 * not. */
bool http_allowed(const struct http_rules *rules, struct evhttp_request *q,
		  bool is_public);

/* Whether a Host header names this machine's loopback: a page of another origin
 * whose name was made to resolve to it (DNS rebinding) does not. */
bool http_host_is_loopback(const char *host);

/* Whether `authorization` is "Bearer " and the token; takes the same time
 * wherever they differ. */
bool http_token_matches(const char *authorization, const char *token);

#endif
