/* SPDX-License-Identifier: GPL-2.0-only */
#include "serve/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union descriptor {
	struct cmsghdr head;
	char space[CMSG_SPACE(sizeof(int))];
};

int serve_send(int socket, const void *message, size_t size, int fd)
{
	struct iovec part = {.iov_base = (void *)message, .iov_len = size};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	union descriptor d = {.space = {0}};

	if (fd >= 0) {
		m.msg_control = &d;
		m.msg_controllen = sizeof(d);
		d.head.cmsg_level = SOL_SOCKET;
		d.head.cmsg_type = SCM_RIGHTS;
		d.head.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&d.head), &fd, sizeof(fd));
	}
	if (sendmsg(socket, &m, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

static int take_descriptor(struct msghdr *m)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

int serve_receive(int socket, void *message, size_t size, int *fd)
{
	struct iovec part = {.iov_base = message, .iov_len = size};
	union descriptor d = {.space = {0}};
	struct msghdr m = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = fd ? &d : NULL,
		.msg_controllen = fd ? sizeof(d) : 0,
	};
	ssize_t got = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got < 0)
		return -errno;
	if (fd)
		*fd = take_descriptor(&m);
	return (int)got;
}
