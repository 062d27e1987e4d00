/* SPDX-License-Identifier: GPL-2.0-only */
/* Tells the service manager how this service is: sd_notify(3)'s protocol, one
 * datagram of NAME=VALUE lines to the socket that NOTIFY_SOCKET names. */
#ifndef SERVICE_NOTIFY_H
#define SERVICE_NOTIFY_H

#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

struct notify {
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un address;
	socklen_t address_size;
	uint64_t watchdog_ns; /* between two signs of life; 0: none wanted */
	uint64_t next_ns;     /* sign of life, CLOCK_MONOTONIC */
};

/* Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and takes them out of
 * the environment: what is started from here has no part in this. Without, or
 * with nonsense in them, the rest does nothing. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

void notify_ready(struct notify *n);
void notify_reloading(struct notify *n);
void notify_stopping(struct notify *n);
void notify_status(struct notify *n, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* The sign of life, when it is due: to be called by the loop that does the
 * work, and by nothing else, so that its hanging is noticed. */
void notify_alive(struct notify *n, uint64_t now_ns);

#endif
