/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 16

static int parse_port(const char *text, in_port_t *port)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	n = strtoul(text, &end, 10);
	if (*end || n > 65535)
		return -EINVAL;
	*port = htons((in_port_t)n);
	return 0;
}

static int parse_unix(const char *path, struct serve_address *out)
{
	struct sockaddr_un *u = &out->socket.local;
	size_t length = strlen(path);

	if (path[0] != '/' || length >= sizeof(u->sun_path))
		return -EINVAL;
	u->sun_family = AF_UNIX;
	memcpy(u->sun_path, path, length + 1);
	out->size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				length + 1);
	out->local_only = true;
	return 0;
}

static int parse_ip4(const char *host, in_port_t port,
		     struct serve_address *out)
{
	struct sockaddr_in *in = (struct sockaddr_in *)&out->socket.storage;

	if (!strcmp(host, "localhost"))
		host = "127.0.0.1";
	if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
		return -EINVAL;
	in->sin_family = AF_INET;
	in->sin_port = port;
	out->size = sizeof(*in);
	out->local_only = ntohl(in->sin_addr.s_addr) >> 24 == 127;
	return 0;
}

static int parse_ip6(const char *host, in_port_t port,
		     struct serve_address *out)
{
	struct sockaddr_in6 *in = (struct sockaddr_in6 *)&out->socket.storage;

	if (inet_pton(AF_INET6, host, &in->sin6_addr) != 1)
		return -EINVAL;
	in->sin6_family = AF_INET6;
	in->sin6_port = port;
	out->size = sizeof(*in);
	out->local_only = IN6_IS_ADDR_LOOPBACK(&in->sin6_addr);
	return 0;
}

int serve_address_parse(const char *text, struct serve_address *out)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	in_port_t port;
	size_t length;

	*out = (struct serve_address){0};
	if (!strncmp(text, "unix:", 5))
		return parse_unix(text + 5, out);
	if (!colon || parse_port(colon + 1, &port))
		return -EINVAL;
	length = (size_t)(colon - text);
	if (!length || length >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, length);
	host[length] = '\0';
	if (host[0] != '[')
		return parse_ip4(host, port, out);
	if (host[length - 1] != ']')
		return -EINVAL;
	host[length - 1] = '\0';
	return parse_ip6(host + 1, port, out);
}

/* Whether the socket at this path is a leftover. */
static bool is_stale(const struct serve_address *a)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool stale;

	if (fd < 0)
		return false;
	stale = connect(fd, &a->socket.any, a->size) && errno == ECONNREFUSED;
	close(fd);
	return stale;
}

static int bind_unix(int fd, const struct serve_address *a)
{
	const char *path = a->socket.local.sun_path;
	mode_t mask = umask(0177);
	int err = bind(fd, &a->socket.any, a->size) ? -errno : 0;

	if (err == -EADDRINUSE && is_stale(a)) {
		unlink(path);
		err = bind(fd, &a->socket.any, a->size) ? -errno : 0;
	}
	umask(mask);
	return err;
}

int serve_address_listen(const struct serve_address *a)
{
	int family = a->socket.any.sa_family, one = 1, err;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (family == AF_UNIX) {
		err = bind_unix(fd, a);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		err = bind(fd, &a->socket.any, a->size) ? -errno : 0;
	}
	if (!err && listen(fd, BACKLOG))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
