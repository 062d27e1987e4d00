/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int read_live(void *context, uint64_t address, void *out, size_t size)
{
	ssize_t got;

	if (address > INT64_MAX) /* not of user space, nor an off_t */
		return -EFAULT;
	got = pread((int)(intptr_t)context, out, size, (off_t)address);
	return got >= 0 && (size_t)got == size ? 0 : -EFAULT;
}

int v8_memory_open(struct v8_memory *m, int pid)
{
	char path[32];
	int fd;

	*m = (struct v8_memory){.read = read_live, .context = (void *)-1};
	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	m->context = (void *)(intptr_t)fd;
	v8_memory_begin(m);
	return 0;
}

void v8_memory_close(struct v8_memory *m)
{
	if (m->read == read_live && (intptr_t)m->context >= 0)
		close((int)(intptr_t)m->context);
	*m = (struct v8_memory){.read = read_live, .context = (void *)-1};
}

void v8_memory_begin(struct v8_memory *m)
{
	m->bytes_left = V8_REQUEST_BYTES;
	m->reads_left = V8_REQUEST_READS;
	v8_memory_forget(m);
}

void v8_memory_forget(struct v8_memory *m)
{
	for (size_t i = 0; i < V8_BLOCKS; i++)
		m->blocks[i].tag = 0;
}

/* A few bytes within one block, which never reaches into another page. */
static int read_block(struct v8_memory *m, uint64_t address, void *out,
		      size_t size)
{
	uint64_t start = address / V8_BLOCK_BYTES * V8_BLOCK_BYTES;
	struct v8_block *b = &m->blocks[address / V8_BLOCK_BYTES % V8_BLOCKS];

	if (b->tag != start + 1) {
		int err = m->read(m->context, start, b->bytes, V8_BLOCK_BYTES);

		b->tag = err ? 0 : start + 1;
		if (err)
			return err;
	}
	memcpy(out, b->bytes + (address - start), size);
	return 0;
}

int v8_read(struct v8_memory *m, uint64_t address, void *out, size_t size)
{
	if (!m->reads_left || size > m->bytes_left)
		return -E2BIG;
	m->reads_left--;
	m->bytes_left -= size;
	if (address > UINT64_MAX - size)
		return -EFAULT;
	if (!size)
		return 0;
	if (address % V8_BLOCK_BYTES + size <= V8_BLOCK_BYTES)
		return read_block(m, address, out, size);
	return m->read(m->context, address, out, size);
}

int v8_read_word(struct v8_memory *m, uint64_t address, uint64_t *out)
{
	return v8_read(m, address, out, sizeof(*out));
}

int v8_read_u32(struct v8_memory *m, uint64_t address, uint32_t *out)
{
	return v8_read(m, address, out, sizeof(*out));
}
