/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/wire.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cursor.h"

#define NAMED	1u
#define INLINED 1u

/* Fixed part of a symbol and of each of its levels. */
struct symbol_head {
	uint32_t type;
	uint32_t index;
	uint32_t flags;
	uint32_t level_count;
	uint64_t function_offset;
};

struct level_head {
	uint32_t line;
	uint32_t column;
	uint32_t flags;
	uint32_t function_size;
	uint32_t file_size;
};

static uint32_t at_most(uint32_t value, size_t limit)
{
	return value < limit ? value : (uint32_t)limit;
}

static uint8_t *put(uint8_t *at, const void *bytes, size_t size)
{
	if (size)
		memcpy(at, bytes, size);
	return at + size;
}

size_t wire_encode_symbol(uint8_t to[WIRE_MESSAGE_MAX],
			  const struct wire_symbol *s)
{
	uint8_t *at = to;
	const uint8_t *end = to + WIRE_MESSAGE_MAX;
	uint32_t count = at_most(s->level_count, WIRE_LEVELS_MAX);
	struct symbol_head head = {
		.type = WIRE_SYMBOL,
		.index = s->index,
		.flags = s->named ? NAMED : 0,
		.level_count = count,
		.function_offset = s->function_offset,
	};

	at = put(at, &head, sizeof(head));
	for (uint32_t i = 0; i < count; i++) {
		const struct wire_level *level = &s->levels[i];
		/* Each level may use its share of what is left: names are
		 * rarely long, so this cuts only in absurd cases. */
		size_t share = (size_t)(end - at) / (count - i);
		size_t text = share - sizeof(struct level_head);
		struct level_head h = {
			.line = level->line,
			.column = level->column,
			.flags = level->inlined ? INLINED : 0,
			.file_size = at_most(level->file_size, text / 2),
		};
		h.function_size =
			at_most(level->function_size, text - h.file_size);
		at = put(at, &h, sizeof(h));
		at = put(at, level->function, h.function_size);
		at = put(at, level->file, h.file_size);
	}
	return (size_t)(at - to);
}

static int decode_level(struct cursor *c, struct wire_level *level)
{
	struct level_head h;
	const uint8_t *bytes = cursor_bytes(c, sizeof(h));

	if (!bytes)
		return -EBADMSG;
	memcpy(&h, bytes, sizeof(h));
	level->line = h.line;
	level->column = h.column;
	level->inlined = h.flags & INLINED;
	level->approximate = false;
	level->function_size = h.function_size;
	level->file_size = h.file_size;
	level->function = (const char *)cursor_bytes(c, h.function_size);
	level->file = (const char *)cursor_bytes(c, h.file_size);
	return c->failed ? -EBADMSG : 0;
}

int wire_decode_symbol(struct wire_symbol *s, const uint8_t *data, size_t size)
{
	struct cursor c = cursor_make(data, size);
	struct symbol_head head;
	const uint8_t *bytes = cursor_bytes(&c, sizeof(head));

	if (!bytes)
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.type != WIRE_SYMBOL || head.level_count > WIRE_LEVELS_MAX)
		return -EBADMSG;
	s->index = head.index;
	s->named = head.flags & NAMED;
	s->function_offset = head.function_offset;
	s->level_count = head.level_count;
	for (uint32_t i = 0; i < head.level_count; i++)
		if (decode_level(&c, &s->levels[i]))
			return -EBADMSG;
	return cursor_left(&c) ? -EBADMSG : 0;
}

int wire_send(int socket, const void *data, size_t size, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {(void *)data, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

	if (fd >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		struct cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	for (;;) {
		ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
		if (sent >= 0)
			return 0;
		if (errno != EINTR)
			return -errno;
	}
}

static int taken_descriptor(struct msghdr *message)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	int fd;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
	    c->cmsg_len != CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

ssize_t wire_receive(int socket, void *to, size_t size, int *fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {to, size};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t got;

	/* Without room for control data the kernel drops descriptors that an
	 * untrusted sender attached (unix(7)). */
	if (fd) {
		*fd = -1;
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
	}
	do
		got = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;
	if (fd)
		*fd = taken_descriptor(&message);
	/* MSG_CTRUNC with fd NULL only means that nothing was accepted. */
	if ((message.msg_flags & MSG_TRUNC) ||
	    (fd && (message.msg_flags & MSG_CTRUNC))) {
		if (fd && *fd >= 0) {
			close(*fd);
			*fd = -1;
		}
		return -EBADMSG;
	}
	return got;
}
