/* SPDX-License-Identifier: GPL-2.0-only */
#include "service/notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/diag.h"

#define MESSAGE_MAX 1024

/* "/path", or "@name" for an abstract one. 0 or -EINVAL. */
static int parse_address(const char *text, struct notify *n)
{
	size_t length = strlen(text);
	char *path = n->address.sun_path;

	if ((text[0] != '/' && text[0] != '@') || !text[1] ||
	    length >= sizeof(n->address.sun_path))
		return -EINVAL;
	n->address.sun_family = AF_UNIX;
	memcpy(path, text, length);
	if (path[0] == '@')
		path[0] = '\0';
	n->address_size =
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	return 0;
}

static uint64_t number(const char *text)
{
	char *end;
	unsigned long long value;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return *end || errno || value > UINT64_MAX / 1000 ? 0 : value;
}

/* Half the time after which the manager gives up (sd_watchdog_enabled(3)). */
static uint64_t watchdog_ns(void)
{
	const char *pid = getenv("WATCHDOG_PID");

	if (pid && number(pid) != (uint64_t)getpid())
		return 0;
	return number(getenv("WATCHDOG_USEC")) * 1000 / 2;
}

void notify_open(struct notify *n)
{
	const char *socket_name = getenv("NOTIFY_SOCKET");

	*n = (struct notify){.fd = -1};
	if (!socket_name || !*socket_name)
		return;
	if (parse_address(socket_name, n))
		diag_warn("NOTIFY_SOCKET '%s': no address of a socket",
			  socket_name);
	else
		n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd >= 0)
		n->watchdog_ns = watchdog_ns();
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

/* A manager that does not read is not waited for. */
static void tell(const struct notify *n, const char *message)
{
	if (n->fd >= 0 &&
	    sendto(n->fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (const struct sockaddr *)&n->address, n->address_size) < 0)
		diag_debug("cannot tell the service manager: %s",
			   strerror(errno));
}

void notify_ready(struct notify *n)
{
	tell(n, "READY=1");
}

void notify_reloading(struct notify *n)
{
	char message[64];

	snprintf(message, sizeof(message),
		 "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, monotonic_ns() / 1000);
	tell(n, message);
}

void notify_stopping(struct notify *n)
{
	tell(n, "STOPPING=1");
}

void notify_status(struct notify *n, const char *format, ...)
{
	char message[MESSAGE_MAX] = "STATUS=", safe[MESSAGE_MAX];
	size_t used = strlen(message);
	va_list arguments;

	if (n->fd < 0)
		return;
	va_start(arguments, format);
	vsnprintf(message + used, sizeof(message) - used, format, arguments);
	va_end(arguments);
	/* A line end would begin another statement. */
	tell(n, diag_escape(safe, sizeof(safe), message));
}

void notify_alive(struct notify *n, uint64_t now_ns)
{
	if (!n->watchdog_ns || now_ns < n->next_ns)
		return;
	tell(n, "WATCHDOG=1");
	n->next_ns = now_ns + n->watchdog_ns;
}
