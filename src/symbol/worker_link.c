/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/worker_link.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/packet.h"

/* Debug file by build-id and link, dwz file by path and build-id. */
#define FILES_PER_REQUEST 8
/* A worker may say goodbye just when it is asked, or when it has used up its
 * share of memory; not again and again without an answer. */
#define GOODBYES_MAX 3

/* What one message from the worker amounts to. */
enum step { STEP_MORE, STEP_DONE, STEP_BYE, STEP_DIED };

struct exchange {
	struct worker_link *link;
	struct link_request *request;
	uint32_t base; /* first address of this attempt */
	unsigned files;
	struct wire_symbol symbol;
	uint8_t message[WIRE_MESSAGE_MAX];
};

int worker_link_start(struct worker_link *l, const struct worker_options *o)
{
	struct zygote_options zygote = {
		.main = worker_main,
		.context = &l->options,
		.name = "leakbpf-zygote",
		.worker_name = "leakbpf-symbol",
	};

	l->options = *o;
	l->socket = -1;
	l->worker = 0;
	l->deaths = 0;
	return zygote_start(&l->zygote, &zygote);
}

/* The worker is gone, or goes now. */
static void drop_worker(struct worker_link *l)
{
	if (l->socket < 0)
		return;
	close(l->socket);
	l->socket = -1;
	l->worker = 0;
	zygote_kill(&l->zygote);
}

void worker_link_stop(struct worker_link *l)
{
	drop_worker(l);
	zygote_stop(&l->zygote);
}

static int have_worker(struct worker_link *l)
{
	struct timeval bound = {.tv_sec = l->options.request_ms / 1000 + 1};
	int fd;

	if (l->socket >= 0)
		return 0;
	fd = zygote_spawn(&l->zygote, &l->worker);
	if (fd < 0)
		return fd;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &bound, sizeof(bound));
	l->socket = fd;
	return 0;
}

/* A worker that left while nobody looked: idle (it said so) or dead. */
static void notice_departure(struct worker_link *l)
{
	struct pollfd p = {l->socket, POLLIN, 0};
	uint32_t type = 0;

	if (l->socket < 0 || poll(&p, 1, 0) <= 0)
		return;
	if (packet_receive(l->socket, &type, sizeof(type), NULL, 0) !=
		    sizeof(type) ||
	    type != WIRE_BYE)
		l->deaths++;
	drop_worker(l);
}

static int send_request(struct exchange *x)
{
	const struct link_request *r = x->request;
	struct wire_resolve message = {
		.type = WIRE_RESOLVE,
		.object = r->object,
		.flags = r->flags,
		.units = r->units,
		.count = r->count - r->answered,
	};
	size_t addresses = message.count * sizeof(uint64_t);

	x->base = r->answered;
	x->files = 0;
	memcpy(message.addresses, r->addresses + r->answered, addresses);
	return packet_send(x->link->socket, &message,
			   offsetof(struct wire_resolve, addresses) + addresses,
			   r->fd, 0);
}

static enum step give_file(struct exchange *x)
{
	struct wire_want want;
	struct wire_file file = {.type = WIRE_FILE};

	if (++x->files > FILES_PER_REQUEST)
		return STEP_DIED;
	memcpy(&want, x->message, sizeof(want));
	uint64_t before = monotonic_ns();
	CLEANUP_CLOSE int fd =
		x->request->open_file(x->request->context, &want);
	/* A server may take its time; it is none of the worker's. */
	x->request->deadline_ns += monotonic_ns() - before;
	file.found = fd >= 0;
	if (packet_send(x->link->socket, &file, sizeof(file), fd, 0))
		return STEP_DIED;
	return STEP_MORE;
}

static enum step take_answer(struct exchange *x, size_t size)
{
	struct link_request *r = x->request;

	if (wire_decode_symbol(&x->symbol, x->message, size) ||
	    x->symbol.index != r->answered - x->base)
		return STEP_DIED;
	x->symbol.index = r->answered++;
	r->answer(r->context, &x->symbol);
	return r->answered == r->count ? STEP_DONE : STEP_MORE;
}

static enum step take_message(struct exchange *x)
{
	uint32_t type = 0;
	ssize_t size = packet_receive(x->link->socket, x->message,
				      sizeof(x->message), NULL, 0);

	if (size < (ssize_t)sizeof(type))
		return STEP_DIED;
	memcpy(&type, x->message, sizeof(type));
	if (type == WIRE_BYE)
		return STEP_BYE;
	if (type == WIRE_WANT && size == sizeof(struct wire_want))
		return give_file(x);
	return take_answer(x, (size_t)size);
}

/* Waits for a message; what already came counts even if the time is over
 * (this process may have been stopped). */
static bool wait_message(int socket, uint64_t deadline_ns)
{
	for (;;) {
		struct pollfd p = {socket, POLLIN, 0};
		uint64_t now = monotonic_ns();
		uint64_t left = now < deadline_ns ? deadline_ns - now : 0;
		int n = poll(&p, 1, (int)(left / 1000000) + (left > 0));

		if (n > 0)
			return true;
		if (n == 0 && !left)
			return false;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

static enum link_end exchange(struct exchange *x, bool *bye)
{
	uint64_t bound = (uint64_t)x->link->options.request_ms * 1000000u;
	int err = send_request(x);

	/* EPIPE: it just left; its last words are still to be read. */
	if (err && err != -EPIPE)
		return LINK_DIED;
	for (;;) {
		uint64_t deadline = monotonic_ns() + bound;
		bool cut = deadline > x->request->deadline_ns;

		if (cut)
			deadline = x->request->deadline_ns;
		if (!wait_message(x->link->socket, deadline))
			return cut ? LINK_OUT_OF_TIME : LINK_STUCK;
		switch (take_message(x)) {
		case STEP_MORE:
			break;
		case STEP_DONE:
			return LINK_DONE;
		case STEP_BYE:
			*bye = true;
			return LINK_DIED;
		case STEP_DIED:
			return LINK_DIED;
		}
	}
}

enum link_end worker_link_ask(struct worker_link *l, struct link_request *r)
{
	CLEANUP_FREE struct exchange *x = malloc(sizeof(*x));
	enum link_end end = LINK_DONE;

	if (!x)
		return LINK_UNAVAILABLE;
	x->link = l;
	x->request = r;
	notice_departure(l);
	for (int goodbyes = 0; goodbyes < GOODBYES_MAX; goodbyes++) {
		bool bye = false;

		if (have_worker(l)) {
			end = LINK_UNAVAILABLE;
			break;
		}
		end = exchange(x, &bye);
		if (end == LINK_DONE)
			return end;
		drop_worker(l);
		if (!bye)
			break;
		if (r->answered > x->base)
			goodbyes = 0;
	}
	l->deaths++;
	return end;
}
