/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/serve.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/diag.h"
#include "base/sandbox.h"
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
	pid_t http;
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
	int err = sandbox_drop_privileges();

	if (!err)
		err = sandbox_limit(0, ADDRESS_SPACE_MAX, HEAP_MAX);
	return err ? err
		   : sandbox_filter(calls, sizeof(calls) / sizeof(calls[0]));
}

static void run_http(const struct serve *s, int control)
{
	const int keep[] = {control, s->listener};
	struct sigaction usual = {.sa_handler = SIG_DFL};
	struct sigaction ignore = {.sa_handler = SIG_IGN};

	prctl(PR_SET_NAME, "leakbpf-http", 0, 0, 0);
	for (int n = 1; n < NSIG; n++)
		sigaction(n, &usual, NULL);
	/* Ctrl-C reaches the whole group: this ends with its owner. */
	sigaction(SIGINT, &ignore, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	if (sandbox_keep_files(keep, 2) || confine())
		_exit(1); /* rather no server than one with rights */
	_exit(http_serve(SANDBOX_FIRST_KEPT, SANDBOX_FIRST_KEPT + 1, &s->rules)
		      ? 1
		      : 0);
}

static int start_http(struct serve *s)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	s->http = fork();
	if (!s->http)
		run_http(s, pair[1]);
	close(pair[1]);
	if (s->http < 0) {
		close(pair[0]);
		return -errno;
	}
	s->control = pair[0];
	return 0;
}

static void stop_http(struct serve *s)
{
	if (s->control >= 0)
		close(s->control);
	s->control = -1;
	if (s->http > 0) {
		kill(s->http, SIGKILL);
		while (waitpid(s->http, NULL, 0) < 0 && errno == EINTR)
			;
	}
	s->http = 0;
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
	s->control = s->listener = -1;
	err = configure(s, options);
	if (err) {
		free(s);
		return err;
	}
	s->listener = serve_address_listen(&s->address);
	err = s->listener < 0 ? s->listener : start_http(s);
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
	stop_http(s);
	if (s->listener >= 0) {
		close(s->listener);
		if (s->address.socket.any.sa_family == AF_UNIX)
			unlink(s->address.socket.local.sun_path);
	}
	free(s);
}

int serve_restart(struct serve *s)
{
	stop_http(s);
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
	err = serve_send(s->control, &a, sizeof(a), fd);
	if (fd >= 0)
		close(fd);
	return err;
}

int serve_handle(struct serve *s, serve_render_fn *write_page, void *context)
{
	for (;;) {
		struct serve_request q;
		int got = serve_receive(s->control, &q, sizeof(q), NULL);
		int err;

		if (got == -EAGAIN || got == -EINTR)
			return 0;
		if (got != sizeof(q))
			return -EPIPE;
		err = answer(s, &q, write_page, context);
		if (err)
			return -EPIPE;
	}
}
