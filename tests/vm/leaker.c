// SPDX-License-Identifier: GPL-2.0-only
/*
 * A leak of known size beside churn, for tests/vm/guest.sh:
 *
 *   leaker BLOCKS SIZE
 *
 * It also looks at its own allocator's instructions, so that it knows itself
 * whether a probe stands there while it is traced, and none afterwards.
 */
#include <stdlib.h>
#include <string.h>

#include "target.h"

/* As many bytes of malloc() as a probe would be set in. */
#define PROLOGUE 48
#define CHURN	 3

static unsigned char untouched[PROLOGUE];

static const void *allocator_code(void)
{
	return OPAQUE((const void *)malloc);
}

static bool probed(void)
{
	return memcmp(untouched, allocator_code(), PROLOGUE) != 0;
}

SITE static void *keep_session(size_t size)
{
	void *session = malloc(size); /* never freed */

	KEEP_FRAME();
	return session;
}

SITE static void serve(size_t size)
{
	for (size_t i = 0; i < CHURN; i++) {
		void *scratch = malloc(OPAQUE(size + i));

		target_sink = scratch;
		free(scratch);
	}
	target_sink = keep_session(size);
	truth("keep_session;serve;main", (long)size, 1);
}

int main(int argc, char **argv)
{
	long blocks = argc == 3 ? atol(argv[1]) : 0;
	size_t size = argc == 3 ? (size_t)atol(argv[2]) : 0;

	if (blocks <= 0 || !size)
		return 2;
	memcpy(untouched, allocator_code(), PROLOGUE);
	target_ready();
	EXPECT(probed());
	for (long i = 0; i < blocks; i++)
		serve(size);
	target_say("state", "leaked");
	target_wait();
	EXPECT(!probed());
	free(malloc(size));
	return target_done();
}
