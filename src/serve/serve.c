/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/serve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/packet.h"
#include "base/sandbox.h"
#include "base/zygote.h"
#include "serve/address.h"
#include "serve/http.h"
#include "serve/wire.h"

#define CONNECTIONS_DEFAULT	32
#define TIMEOUT_SECONDS_DEFAULT 10
#define TOKEN_BYTES_LEAST	16
/* Pages are files, mapped while they are sent. */
#define ADDRESS_SPACE_MAX (2ULL << 30)
#define HEAP_MAX	  (64ULL << 20)

struct serve {
	struct serve_address address;
	struct http_rules rules;
	int listener;
	int control;
	struct zygote zygote; /* forks the process that speaks HTTP */
};

/* ---- The HTTP process ---------------------------------------------------- */

static int confine(void)
{
	static const int calls[] = {
		SYS_read,	    SYS_readv,
		SYS_write,	    SYS_writev,
		SYS_recvfrom,	    SYS_sendto,
		SYS_sendfile,	    SYS_pread64,
		SYS_lseek,	    SYS_accept4,
		SYS_shutdown,	    SYS_getsockname,
		SYS_getpeername,    SYS_setsockopt,
		SYS_getsockopt,	    SYS_ioctl,
		SYS_epoll_create1,  SYS_epoll_ctl,
		SYS_epoll_pwait,    SYS_eventfd2,
		SYS_timerfd_create, SYS_timerfd_settime,
		SYS_pipe2,	    SYS_gettimeofday,
		SYS_getuid,	    SYS_geteuid,
		SYS_getgid,	    SYS_getegid,
		SYS_rt_sigprocmask, SYS_rt_sigaction,
#ifdef SYS_epoll_wait
		SYS_epoll_wait,	    SYS_epoll_create,
		SYS_time,
#endif
	};
	int err = sandbox_limit(0, ADDRESS_SPACE_MAX, HEAP_MAX);

	return err ? err
		   : sandbox_filter(calls, sizeof(calls) / sizeof(calls[0]));
}

/* In a process without rights: the zygote has none. */
static void run_http(int control, void *context)
{
	const struct serve *s = context;

	if (confine())
		_exit(1); /* rather no server than one with rights */
	_exit(http_serve(control, ZYGOTE_FIRST_FILE, &s->rules) ? 1 : 0);
}

static int start_http(struct serve *s)
{
	pid_t worker;
	int fd = zygote_spawn(&s->zygote, &worker);

	if (fd < 0)
		return fd;
	s->control = fd;
	return 0;
}

static int start_zygote(struct serve *s)
{
	struct zygote_options o = {
		.main = run_http,
		.context = s,
		.name = "leakbpf-listen",
		.worker_name = "leakbpf-http",
		.files = {s->listener},
		.file_count = 1,
	};
	int err = zygote_start(&s->zygote, &o);

	return err ? err : start_http(s);
}

/* ---- Opening ------------------------------------------------------------- */

/* One word of printable characters, long enough not to be guessed. */
static int read_token(const char *path, char token[HTTP_TOKEN_BYTES])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t got = fd < 0 ? -1 : read(fd, token, HTTP_TOKEN_BYTES - 1);
	int err = got < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err) {
		diag_error("%s: cannot read the token: %s", path,
			   strerror(-err));
		return err;
	}
	while (got && isspace((unsigned char)token[got - 1]))
		got--;
	token[got] = '\0';
	for (ssize_t i = 0; i < got; i++)
		if (!isgraph((unsigned char)token[i]))
			got = 0;
	if (got < TOKEN_BYTES_LEAST) {
		diag_error("%s: a token is one word of %d to %d characters",
			   path, TOKEN_BYTES_LEAST, HTTP_TOKEN_BYTES - 1);
		return -EINVAL;
	}
	return 0;
}

static int configure(struct serve *s, const struct serve_options *o)
{
	int err = serve_address_parse(o->listen, &s->address);

	if (err) {
		diag_error("--listen %s: give an address and port "
			   "(127.0.0.1:9850, [::1]:9850) or unix:/PATH",
			   o->listen);
		return err;
	}
	s->rules.connections =
		o->connections ? o->connections : CONNECTIONS_DEFAULT;
	s->rules.timeout_seconds = o->timeout_seconds ? o->timeout_seconds
						      : TIMEOUT_SECONDS_DEFAULT;
	if (o->token_file)
		return read_token(o->token_file, s->rules.token);
	if (!s->address.local_only) {
		diag_error("--listen %s: others could read the report: give "
			   "--token-file FILE, or listen on 127.0.0.1",
			   o->listen);
		return -EACCES;
	}
	/* Only root can connect to the unix socket. */
	s->rules.check_host = s->address.socket.any.sa_family != AF_UNIX;
	return 0;
}

int serve_open(const struct serve_options *options, struct serve **out)
{
	struct serve *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->control = s->listener = s->zygote.control = -1;
	err = configure(s, options);
	if (err) {
		free(s);
		return err;
	}
	s->listener = serve_address_listen(&s->address);
	err = s->listener < 0 ? s->listener : start_zygote(s);
	if (err) {
		diag_error("cannot listen on %s: %s", options->listen,
			   strerror(-err));
		serve_close(s);
		return err;
	}
	*out = s;
	return 0;
}

void serve_close(struct serve *s)
{
	if (!s)
		return;
	if (s->control >= 0)
		close(s->control);
	zygote_stop(&s->zygote);
	if (s->listener >= 0) {
		close(s->listener);
		if (s->address.socket.any.sa_family == AF_UNIX)
			unlink(s->address.socket.local.sun_path);
	}
	free(s);
}

int serve_restart(struct serve *s)
{
	if (s->control >= 0)
		close(s->control);
	s->control = -1;
	return start_http(s);
}

/* ---- Answering ----------------------------------------------------------- */

/* The page in a file in memory; its descriptor or -errno. */
static int render(serve_render_fn *write_page, void *context,
		  const struct serve_request *q, uint64_t *size)
{
	int err, fd = memfd_create("page", MFD_CLOEXEC);
	FILE *out = fd < 0 ? NULL : fdopen(dup(fd), "w");
	off_t end;

	if (!out) {
		err = -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	err = write_page((enum serve_page)q->page, q->pid, out, context);
	if (fclose(out) && !err)
		err = -ENOMEM;
	end = lseek(fd, 0, SEEK_END);
	if (!err && end < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	*size = (uint64_t)end;
	return fd;
}

static int answer(struct serve *s, const struct serve_request *q,
		  serve_render_fn *write_page, void *context)
{
	struct serve_answer a = {0};
	int err, fd = -EINVAL;

	if (q->page < SERVE_PAGES)
		fd = render(write_page, context, q, &a.size);
	if (fd < 0)
		a.error = fd;
	err = packet_send(s->control, &a, sizeof(a), fd, MSG_DONTWAIT);
	if (fd >= 0)
		close(fd);
	return err;
}

int serve_handle(struct serve *s, serve_render_fn *write_page, void *context)
{
	for (;;) {
		struct serve_request q;
		ssize_t got = packet_receive(s->control, &q, sizeof(q), NULL,
					     MSG_DONTWAIT);
		int err;

		if (got == -EAGAIN)
			return 0;
		if (got != sizeof(q))
			return -EPIPE;
		err = answer(s, &q, write_page, context);
		if (err)
			return -EPIPE;
	}
}
