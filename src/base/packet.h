/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages between processes of this program over a SOCK_SEQPACKET pair, each
 * with a descriptor if need be. */
#ifndef BASE_PACKET_H
#define BASE_PACKET_H

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

/* `flags` of both: 0, or MSG_DONTWAIT, which gives -EAGAIN rather than wait. */

/* One message, optionally with a descriptor (-1: none). 0 or -errno. */
int packet_send(int socket, const void *data, size_t size, int fd, int flags);
/* Size of the message (0: the other side is gone) or -errno. *fd gets a
 * descriptor or -1; with fd NULL none is accepted. A message that does not
 * fit, or with more than one descriptor, is -EBADMSG. */
ssize_t packet_receive(int socket, void *to, size_t size, int *fd, int flags);

#endif
