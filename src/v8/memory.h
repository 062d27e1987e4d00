/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading V8's objects in another process: bounded, and prepared for anything.
 * The memory races with its owner, may be unmapped at any moment, and its
 * contents may be made to hurt: decoders check types and cap lengths, and every
 * request has a budget of reads, so that cycles end.
 */
#ifndef V8_MEMORY_H
#define V8_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Objects are read field by field, and a read of the process costs as much as a
 * system call: what lies around is kept until the end of the request. */
#define V8_BLOCK_BYTES 128
#define V8_BLOCKS      64

struct v8_block {
	uint64_t tag; /* address + 1; 0: empty */
	uint8_t bytes[V8_BLOCK_BYTES];
};

struct v8_memory {
	/* Copies all `size` bytes at `address`; 0 or -EFAULT. */
	int (*read)(void *context, uint64_t address, void *out, size_t size);
	void *context;
	/* Bytes and reads that the present request may still cost. */
	size_t bytes_left;
	uint32_t reads_left;
	struct v8_block blocks[V8_BLOCKS];
};

#define V8_REQUEST_READS 4096
#define V8_REQUEST_BYTES (16u << 20)

/* Starts a request: fills the budget, forgets what was read. */
void v8_memory_begin(struct v8_memory *m);
/* Forgets what was read, within the request. */
void v8_memory_forget(struct v8_memory *m);
/* 0, -EFAULT, or -E2BIG when the budget is spent. */
int v8_read(struct v8_memory *m, uint64_t address, void *out, size_t size);
int v8_read_word(struct v8_memory *m, uint64_t address, uint64_t *out);
int v8_read_u32(struct v8_memory *m, uint64_t address, uint32_t *out);

/* Memory of a live process, through /proc/PID/mem: it stays this program's
 * memory when the process execs or its pid is used again (reads fail then).
 * 0 or -errno; free with v8_memory_close. */
int v8_memory_open(struct v8_memory *m, int pid);
void v8_memory_close(struct v8_memory *m);

#endif
