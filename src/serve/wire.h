/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the two processes of the server say to each other, over a
 * SOCK_SEQPACKET pair: the one that speaks HTTP has no rights and sends
 * requests; the one that traces answers each, in order, with a file in memory
 * that holds the body (passed along when `size` is not 0).
 */
#ifndef SERVE_WIRE_H
#define SERVE_WIRE_H

#include <stdint.h>

#include "serve/serve.h"

struct serve_request {
	uint32_t page; /* enum serve_page */
	uint32_t pid;  /* 0: all targets */
};

struct serve_answer {
	int32_t error; /* 0, or -errno */
	uint32_t reserved;
	uint64_t size; /* of the body, bytes */
};

#endif
