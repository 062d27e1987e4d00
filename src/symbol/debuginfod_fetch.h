/* SPDX-License-Identifier: GPL-2.0-only */
/* The process behind debuginfod.h, and what it is told and says. */
#ifndef SYMBOL_DEBUGINFOD_FETCH_H
#define SYMBOL_DEBUGINFOD_FETCH_H

#include "leakbpf/abi_user.h"
#include "object/object.h"
#include "symbol/debuginfod.h"

struct fetch_request {
	uint64_t number;
	uint32_t size; /* of the build-id */
	uint8_t id[BUILD_ID_BYTES_MAX];
};

/* With a descriptor when error is 0; else an errno: ENOENT no server has it,
 * ENOEXEC there is no debuginfod-find. */
struct fetch_reply {
	uint64_t number;
	int32_t error;
};

/* Gives up privileges, then answers requests until the other end is closed. */
_Noreturn void fetch_main(int socket, const struct debuginfod_options *options);

#endif
