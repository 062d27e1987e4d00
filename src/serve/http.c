/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/http.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/packet.h"
#include "serve/http_access.h"
#include "serve/http_reply.h"
#include "serve/serve.h"
#include "serve/wire.h"

#define HEADERS_BYTES_MAX 8192
/* Requests that wait for their page; more are turned away. */
#define WAITING_MAX 16
/* How soon a server that was full looks for room again. */
#define FULL_RETRY_MS 100
/* Descriptors besides connections: control, listener, epoll, a page. */
#define OTHER_DESCRIPTORS 16

struct http {
	struct event_base *base;
	struct evhttp *server;
	struct evconnlistener *listener;
	struct event *room; /* looks for room again */
	const struct http_rules *rules;
	int control;
	/* In the order in which they were sent on; NULL: its client has gone.
	 */
	struct evhttp_request *waiting[WAITING_MAX];
	enum serve_page pages[WAITING_MAX];
	unsigned first, count;
};

/* ---- Requests ------------------------------------------------------------ */

static struct evhttp_request **waiting_at(struct http *h, unsigned i)
{
	return &h->waiting[(h->first + i) % WAITING_MAX];
}

/* libevent frees the requests of a connection with it. */
static void connection_closed(struct evhttp_connection *c, void *context)
{
	struct http *h = context;

	for (unsigned i = 0; i < h->count; i++) {
		struct evhttp_request **q = waiting_at(h, i);

		if (*q && evhttp_request_get_connection(*q) == c)
			*q = NULL;
	}
}

/* ?pid=N; 0 without; false when it is no process id. */
static bool parse_pid(const struct evhttp_uri *uri, uint32_t *pid)
{
	const char *query = evhttp_uri_get_query(uri);
	struct evkeyvalq fields;
	const char *text;
	bool good = true;

	*pid = 0;
	if (!query)
		return true;
	if (evhttp_parse_query_str(query, &fields))
		return false;
	text = evhttp_find_header(&fields, "pid");
	if (text) {
		char *end;
		unsigned long n = strtoul(text, &end, 10);

		good = *text >= '0' && *text <= '9' && !*end && n &&
		       n <= 1UL << 22;
		*pid = (uint32_t)n;
	}
	evhttp_clear_headers(&fields);
	return good;
}

static void send_on(struct http *h, struct evhttp_request *q,
		    enum serve_page page, uint32_t pid)
{
	struct serve_request request = {.page = page, .pid = pid};

	if (h->count == WAITING_MAX ||
	    packet_send(h->control, &request, sizeof(request), -1,
			MSG_DONTWAIT)) {
		http_add_header(q, "Retry-After", "1");
		http_reply_text(q, 503, "Service Unavailable", "too busy");
		return;
	}
	h->pages[(h->first + h->count) % WAITING_MAX] = page;
	*waiting_at(h, h->count++) = q;
	evhttp_connection_set_closecb(evhttp_request_get_connection(q),
				      connection_closed, h);
}

static void handle_request(struct evhttp_request *q, void *context)
{
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(q);
	const char *path = uri ? evhttp_uri_get_path(uri) : NULL;
	struct http *h = context;
	enum serve_page page = path ? http_page_at(path) : SERVE_PAGES;
	uint32_t pid;

	/* Health says one word, to probes that cannot hold a secret. */
	if (!http_allowed(h->rules, q, page == SERVE_HEALTH))
		return;
	if (path && !strcmp(path, "/")) {
		http_reply_index(q);
		return;
	}
	if (page == SERVE_PAGES)
		http_reply_text(q, 404, "Not Found",
				"no such page; / lists them");
	else if (parse_pid(uri, &pid))
		send_on(h, q, page, pid);
	else
		http_reply_text(q, 400, "Bad Request", "pid: not a process id");
}

static void handle_answer(evutil_socket_t control, short what, void *context)
{
	struct http *h = context;
	struct serve_answer answer;
	struct evhttp_request *q;
	enum serve_page page;
	ssize_t got;
	int body;

	got = packet_receive(control, &answer, sizeof(answer), &body,
			     MSG_DONTWAIT);
	if (got == -EAGAIN)
		return;
	if (got != sizeof(answer) || !h->count) {
		event_base_loopbreak(h->base);
		return;
	}
	q = *waiting_at(h, 0);
	page = h->pages[h->first];
	h->first = (h->first + 1) % WAITING_MAX;
	h->count--;
	if (!q) {
		if (body >= 0)
			close(body);
		return;
	}
	evhttp_connection_set_closecb(evhttp_request_get_connection(q), NULL,
				      NULL);
	if (answer.error || body < 0) {
		if (body >= 0)
			close(body);
		http_reply_error(q, answer.error);
		return;
	}
	http_reply_page(q, page, body, answer.size);
}

/* ---- Connections --------------------------------------------------------- */

static bool is_full(const struct http *h)
{
	unsigned limit = h->rules->connections + OTHER_DESCRIPTORS;
	unsigned open = 0;

	for (unsigned fd = 0; fd < 2 * limit; fd++)
		open += fcntl((int)fd, F_GETFD) >= 0;
	return open >= limit;
}

static void look_for_room(evutil_socket_t fd, short what, void *context)
{
	const struct timeval soon = {.tv_usec = FULL_RETRY_MS * 1000};
	struct http *h = context;

	if (is_full(h))
		evtimer_add(h->room, &soon);
	else
		evconnlistener_enable(h->listener);
}

/* Asked for a bufferevent for every new connection; NULL: the usual one. */
static struct bufferevent *count_connection(struct event_base *base,
					    void *context)
{
	struct http *h = context;

	if (is_full(h)) {
		evconnlistener_disable(h->listener);
		look_for_room(-1, 0, h);
	}
	return NULL;
}

/* ---- Running ------------------------------------------------------------- */

static int configure(struct http *h, int listener)
{
	struct evhttp_bound_socket *bound;

	h->server = evhttp_new(h->base);
	h->room = evtimer_new(h->base, look_for_room, h);
	if (!h->server || !h->room)
		return -ENOMEM;
	evhttp_set_allowed_methods(h->server, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_max_headers_size(h->server, HEADERS_BYTES_MAX);
	evhttp_set_max_body_size(h->server, 0);
	evhttp_set_timeout(h->server, (int)h->rules->timeout_seconds);
	evhttp_set_bevcb(h->server, count_connection, h);
	evhttp_set_gencb(h->server, handle_request, h);
	bound = evhttp_accept_socket_with_handle(h->server, listener);
	if (!bound)
		return -ENOMEM;
	h->listener = evhttp_bound_socket_get_listener(bound);
	return 0;
}

int http_serve(int control, int listener, const struct http_rules *rules)
{
	struct http h = {.rules = rules, .control = control};
	struct event *answers = NULL;
	int err;

	h.base = event_base_new();
	err = h.base ? configure(&h, listener) : -ENOMEM;
	if (!err) {
		answers = event_new(h.base, control, EV_READ | EV_PERSIST,
				    handle_answer, &h);
		if (!answers || event_add(answers, NULL))
			err = -ENOMEM;
	}
	if (!err && event_base_dispatch(h.base) < 0)
		err = -EIO;
	if (answers)
		event_free(answers);
	if (h.room)
		event_free(h.room);
	if (h.server)
		evhttp_free(h.server);
	if (h.base)
		event_base_free(h.base);
	return err;
}
