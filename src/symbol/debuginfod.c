/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/debuginfod.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"
#include "base/packet.h"
#include "symbol/debuginfod_fetch.h"

#define FILE_BYTES  (2ULL << 30)
#define PROGRESS_MS 1000
/* Build-ids that are not asked for again. */
#define MISSING_MAX 256

struct debuginfod {
	struct debuginfod_options options;
	pid_t pid;
	int socket;
	uint64_t number;  /* of the last request */
	uint64_t left_ns; /* to be waited, all in all */
	struct fetch_request missing[MISSING_MAX];
	size_t missing_count;
	bool told; /* why there will be no files */
};

static int start(struct debuginfod *d)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return -errno;
	d->pid = fork();
	if (!d->pid)
		fetch_main(ends[1], &d->options);
	close(ends[1]);
	d->socket = ends[0];
	return d->pid < 0 ? -errno : 0;
}

struct debuginfod *debuginfod_start(const struct debuginfod_options *options,
				    const char *urls)
{
	struct debuginfod *d;
	int err;

	if (!urls)
		urls = getenv("DEBUGINFOD_URLS");
	if (!urls || !urls[0])
		return NULL;
	d = calloc(1, sizeof(*d));
	if (!d)
		return NULL;
	d->options = *options;
	d->options.urls = urls;
	if (!d->options.file_bytes)
		d->options.file_bytes = FILE_BYTES;
	d->left_ns = d->options.total_seconds * 1000000000ULL;
	d->socket = -1;
	err = start(d);
	if (!err)
		return d;
	diag_warn("no debug files from servers: %s", strerror(-err));
	debuginfod_stop(d);
	return NULL;
}

void debuginfod_stop(struct debuginfod *d)
{
	if (!d)
		return;
	if (d->socket >= 0)
		close(d->socket);
	/* Without the right to signal another user's process it is left to the
	 * end of this one, which it does not outlive. */
	if (d->pid > 0 && !kill(d->pid, SIGKILL)) {
		while (waitpid(d->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(d);
}

/* ---- One file -------------------------------------------------------------
 */

static bool is_missing(const struct debuginfod *d, const uint8_t *id,
		       size_t size)
{
	for (size_t i = 0; i < d->missing_count; i++)
		if (d->missing[i].size == size &&
		    !memcmp(d->missing[i].id, id, size))
			return true;
	return false;
}

/* Says once what stands in the way of all files. */
static void tell_why(struct debuginfod *d, int err)
{
	if (d->told)
		return;
	d->told = err == -ENOEXEC || err == -EPIPE || err == -ETIMEDOUT;
	if (err == -ENOEXEC)
		diag_warn("no debug files from servers: debuginfod-find is not "
			  "installed (Debian: package debuginfod)");
	else if (err == -EPIPE)
		diag_warn("no debug files from servers: the process that "
			  "fetches them has ended");
	else if (err == -ETIMEDOUT)
		diag_warn("debug files took too long to fetch: some names or "
			  "lines may be missing");
}

/* An answer to an earlier request, which was given up, is dropped. */
static int take_reply(struct debuginfod *d)
{
	struct fetch_reply reply;
	int fd = -1;
	ssize_t got = packet_receive(d->socket, &reply, sizeof(reply), &fd,
				     MSG_DONTWAIT);

	if (got == -EAGAIN)
		return -EAGAIN;
	if (got != (ssize_t)sizeof(reply))
		return -EPIPE;
	if (reply.number == d->number)
		return reply.error ? -reply.error : fd >= 0 ? fd : -EBADMSG;
	if (fd >= 0)
		close(fd);
	return -EAGAIN;
}

static int wait_reply(struct debuginfod *d, const char *name, uint64_t most_ns)
{
	uint64_t started = monotonic_ns(), waited = 0;
	int result = -EAGAIN;

	while (result == -EAGAIN && waited < most_ns) {
		struct pollfd p = {d->socket, POLLIN, 0};

		diag_progress("fetching the debug file of %s: %llu s", name,
			      (unsigned long long)(waited / 1000000000));
		if (poll(&p, 1, PROGRESS_MS) > 0)
			result = take_reply(d);
		waited = monotonic_ns() - started;
	}
	diag_progress_end();
	d->left_ns = waited < d->left_ns ? d->left_ns - waited : 0;
	return result == -EAGAIN ? -ETIMEDOUT : result;
}

static int ask(struct debuginfod *d, const struct fetch_request *request,
	       const char *name)
{
	/* It ends the program itself, a second after the time is over. */
	uint64_t most = (d->options.file_seconds + 2) * 1000000000ULL;

	if (!d->left_ns)
		return -ETIMEDOUT;
	if (packet_send(d->socket, request, sizeof(*request), -1, MSG_DONTWAIT))
		return -EPIPE;
	return wait_reply(d, name, most < d->left_ns ? most : d->left_ns);
}

int debuginfod_open(struct debuginfod *d, const uint8_t *id, size_t size,
		    const char *name)
{
	struct fetch_request request = {.size = (uint32_t)size};
	int fd;

	if (size < 2 || size > sizeof(request.id))
		return -EINVAL;
	if (is_missing(d, id, size))
		return -ENOENT;
	memcpy(request.id, id, size);
	request.number = ++d->number;
	fd = ask(d, &request, name);
	if (fd >= 0) {
		diag_debug("debug file of %s from a server", name);
		return fd;
	}
	tell_why(d, fd);
	if (d->missing_count < MISSING_MAX)
		d->missing[d->missing_count++] = request;
	return fd;
}
