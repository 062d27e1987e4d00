/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where a function's control goes, as far as instructions tell: which
 * functions it calls or jumps to, and whether it can return without having
 * entered one of a given set.
 */
#ifndef PROBE_CODE_FLOW_H
#define PROBE_CODE_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FLOW_FUNCTION_BYTES_MAX 65536

struct flow_step {
	uint32_t offset;
	uint8_t size;
	uint8_t flow;	 /* enum insn_flow */
	uint64_t target; /* link-time address, of the slot for *_SLOT */
};

/* A decoded function. */
struct flow {
	uint64_t address;
	uint32_t size; /* bytes decoded; branches beyond leave the function */
	bool complete; /* all of it decoded */
	struct flow_step *steps;
	size_t count;
};

/*
 * Decodes the function at `address`. `exact`: `size` is its size; else only a
 * bound, and the function ends where control cannot go on. 0 or -ENOMEM.
 */
int flow_read(const uint8_t *code, size_t size, uint64_t address, bool exact,
	      struct flow *out);
void flow_free(struct flow *f);

/* Whether the step leaves the function by a call or a jump to another one. */
bool flow_leaves(const struct flow *f, const struct flow_step *s);
bool flow_is_jump(const struct flow_step *s);

/*
 * Whether every path from the entry enters a function for which `wanted` is
 * true before it returns or goes to an unknown place (and there is a path).
 */
bool flow_always_enters(const struct flow *f,
			bool (*wanted)(const struct flow_step *s,
				       void *context),
			void *context);

#endif
