/* SPDX-License-Identifier: GPL-2.0-only */
/* Where to listen: "127.0.0.1:9850", "[::1]:9850", "localhost:9850" or
 * "unix:/run/leakbpf.sock". Numbers only, but for localhost: no name is looked
 * up. */
#ifndef SERVE_ADDRESS_H
#define SERVE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/un.h>

struct serve_address {
	union {
		struct sockaddr any;
		struct sockaddr_un local;
		struct sockaddr_storage storage;
	} socket;
	socklen_t size;
	bool local_only; /* loopback or a unix socket */
};

/* 0 or -EINVAL. */
int serve_address_parse(const char *text, struct serve_address *out);

/* A listening socket, or -errno. An old unix socket that nobody listens on any
 * more is replaced; its mode is 0600. */
int serve_address_listen(const struct serve_address *a);

#endif
