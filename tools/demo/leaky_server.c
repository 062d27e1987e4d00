// SPDX-License-Identifier: GPL-2.0-only
/*
 * A small server that leaks, for tools/demo.sh: it answers made-up requests,
 * some 2000 a second. Built with -O2 -fomit-frame-pointer, as services are.
 *
 * What its heap does:
 *   load_routes        a table filled at start-up: big, constant
 *   handle_request     allocates and frees for every request: busy, balanced
 *   cache_put          a cache that is full after a few seconds: bounded
 *   session_remember   remembers a session per login and forgets to drop it
 *                      when the client says goodbye: THE LEAK
 */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define NOINLINE    __attribute__((noinline, noclone))
#define ROUTES	    2000
#define CACHE_SLOTS 512

struct session {
	struct session *next;
	uint64_t user;
	char token[1000];
};

struct request {
	uint64_t number;
	char *header;
	char *body;
};

struct server {
	char *routes[ROUTES];
	char *cache[CACHE_SLOTS];
	struct session *sessions;
	uint64_t answered;
};

static volatile sig_atomic_t stop;

static void on_signal(int number)
{
	stop = number;
}

NOINLINE static void load_routes(struct server *s)
{
	for (size_t i = 0; i < ROUTES; i++) {
		s->routes[i] = malloc(512);
		if (s->routes[i])
			snprintf(s->routes[i], 512, "/route/%zu", i);
	}
}

NOINLINE static void cache_put(struct server *s, uint64_t key, const char *text)
{
	char **slot = &s->cache[key % CACHE_SLOTS];

	free(*slot);
	*slot = malloc(2048);
	if (*slot)
		snprintf(*slot, 2048, "%s", text);
}

NOINLINE static void session_remember(struct server *s, uint64_t user)
{
	struct session *new = calloc(1, sizeof(*new)); /* never freed */

	if (!new)
		return;
	new->user = user;
	new->next = s->sessions;
	s->sessions = new;
}

NOINLINE static void parse_header(struct server *s, struct request *r)
{
	r->header = malloc(256);
	if (!r->header)
		return;
	snprintf(r->header, 256, "GET /route/%llu HTTP/1.1",
		 (unsigned long long)(r->number % ROUTES));
	if (r->number % 3 == 0)
		session_remember(s, r->number);
}

NOINLINE static void read_body(struct request *r)
{
	r->body = malloc(1500);
	if (r->body)
		snprintf(r->body, 1500, "body of %llu",
			 (unsigned long long)r->number);
}

NOINLINE static void handle_request(struct server *s, uint64_t number)
{
	struct request r = {.number = number};

	parse_header(s, &r);
	read_body(&r);
	if (r.header && number % 5 == 0)
		cache_put(s, number / 5, r.header);
	s->answered++;
	free(r.header);
	free(r.body);
}

static void serve(struct server *s)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (uint64_t number = 0; !stop;) {
		for (int i = 0; i < 20; i++)
			handle_request(s, number++);
		nanosleep(&pause, NULL);
	}
}

int main(void)
{
	static struct server server;
	struct sigaction action = {.sa_handler = on_signal};

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	load_routes(&server);
	printf("serving\n");
	fflush(stdout);
	serve(&server);
	return 0;
}
