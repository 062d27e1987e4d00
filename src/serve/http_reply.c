/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/http_reply.h"

#include <errno.h>
#include <event2/buffer.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *path, *type, *file;
} pages[SERVE_PAGES] = {
	[SERVE_HEALTH] = {"/healthz", "text/plain; charset=utf-8", NULL},
	[SERVE_METRICS] = {"/metrics",
			   "text/plain; version=0.0.4; charset=utf-8", NULL},
	[SERVE_PPROF_HEAP] = {"/debug/pprof/heap", "application/octet-stream",
			      "heap.pb.gz"},
	[SERVE_PPROF_ALLOCS] = {"/debug/pprof/allocs",
				"application/octet-stream", "allocs.pb.gz"},
	[SERVE_REPORT] = {"/report", "text/html; charset=utf-8", NULL},
	[SERVE_API] = {"/api", "application/json", NULL},
};

static const char index_page[] =
	"<!doctype html><html lang=en><meta "
	"charset=utf-8><title>leakbpf</title>"
	"<h1>leakbpf</h1><ul>"
	"<li><a href=/report>report</a>"
	"<li><a href=/api>report as JSON</a>"
	"<li><a href=/metrics>metrics</a>"
	"<li><a href=/debug/pprof/heap>pprof: in use</a>"
	"<li><a href=/debug/pprof/allocs>pprof: allocated</a>"
	"<li><a href=/healthz>health</a></ul>"
	"<p>Of one process: add <code>?pid=PID</code>.";

enum serve_page http_page_at(const char *path)
{
	int i = 0;

	while (i < SERVE_PAGES && strcmp(path, pages[i].path))
		i++;
	return (enum serve_page)i;
}

void http_add_header(struct evhttp_request *q, const char *key,
		     const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(q), key, value);
}

/* No other origin is to read or frame this, and nothing is to be kept. */
static void add_common_headers(struct evhttp_request *q, const char *type)
{
	http_add_header(q, "Content-Type", type);
	http_add_header(q, "Cache-Control", "no-store");
	http_add_header(q, "X-Content-Type-Options", "nosniff");
	http_add_header(q, "X-Frame-Options", "DENY");
	http_add_header(q, "Content-Security-Policy",
			"default-src 'none'; style-src 'unsafe-inline'; "
			"script-src 'unsafe-inline'; img-src data:");
}

void http_reply_text(struct evhttp_request *q, int code, const char *reason,
		     const char *text)
{
	struct evbuffer *body = evbuffer_new();

	if (body)
		evbuffer_add_printf(body, "%s\n", text);
	add_common_headers(q, "text/plain; charset=utf-8");
	evhttp_send_reply(q, code, reason, body);
	if (body)
		evbuffer_free(body);
}

void http_reply_index(struct evhttp_request *q)
{
	struct evbuffer *body = evbuffer_new();

	if (body)
		evbuffer_add(body, index_page, sizeof(index_page) - 1);
	add_common_headers(q, "text/html; charset=utf-8");
	evhttp_send_reply(q, 200, "OK", body);
	if (body)
		evbuffer_free(body);
}

void http_reply_page(struct evhttp_request *q, enum serve_page page, int body,
		     uint64_t size)
{
	struct evbuffer *b = evbuffer_new();
	char disposition[64] = "attachment; filename=";

	/* evbuffer_add_file takes over the descriptor when it succeeds. */
	if (!b || evbuffer_add_file(b, body, 0, (ev_off_t)size)) {
		close(body);
		http_reply_text(q, 500, "Internal Server Error",
				"out of memory");
	} else {
		add_common_headers(q, pages[page].type);
		if (pages[page].file)
			http_add_header(q, "Content-Disposition",
					strcat(disposition, pages[page].file));
		evhttp_send_reply(q, 200, "OK", b);
	}
	if (b)
		evbuffer_free(b);
}

void http_reply_error(struct evhttp_request *q, int error)
{
	switch (-error) {
	case ENOENT:
		http_reply_text(q, 404, "Not Found", "no such target");
		break;
	case EAGAIN:
		http_add_header(q, "Retry-After", "1");
		http_reply_text(q, 503, "Service Unavailable",
				"no report yet: just attached");
		break;
	default:
		http_reply_text(q, 500, "Internal Server Error",
				"the page could not be made");
	}
}
