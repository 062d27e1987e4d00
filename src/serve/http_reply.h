/* SPDX-License-Identifier: GPL-2.0-only */
/* What the HTTP process answers: which pages there are, and their headers. */
#ifndef SERVE_HTTP_REPLY_H
#define SERVE_HTTP_REPLY_H

#include <event2/http.h>
#include <stdint.h>

#include "serve/serve.h"

/* The page of this path; SERVE_PAGES: none. */
enum serve_page http_page_at(const char *path);

void http_add_header(struct evhttp_request *q, const char *key,
		     const char *value);
/* One line of text. */
void http_reply_text(struct evhttp_request *q, int code, const char *reason,
		     const char *text);
/* The list of pages. */
void http_reply_index(struct evhttp_request *q);
/* `size` bytes of `body`, which is closed when they are sent. */
void http_reply_page(struct evhttp_request *q, enum serve_page page, int body,
		     uint64_t size);
/* The page could not be made: -errno. */
void http_reply_error(struct evhttp_request *q, int error);

#endif
