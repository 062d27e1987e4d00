// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation functions that leave by a jump to another one: realloc(NULL) to
 * malloc, reallocarray to realloc, memalign to malloc. Each is one call, also
 * when it is sampled: drawn neither twice nor lost on the way.
 */
#include <malloc.h>
#include <stdlib.h>

#include "target.h"

#define ROUNDS 2000
#define SIZE   1000

#define LEAK(name, expression)                                                 \
	SITE static void name(void)                                            \
	{                                                                      \
		for (int i = 0; i < ROUNDS; i++)                               \
			target_sink = (expression);                            \
		truth(#name ";run;main", (long)ROUNDS *SIZE, ROUNDS);          \
	}

LEAK(leak_malloc, malloc(SIZE))
LEAK(leak_calloc, calloc(10, SIZE / 10))
LEAK(leak_realloc_null, realloc(OPAQUE((void *)NULL), SIZE))
LEAK(leak_reallocarray_null, reallocarray(OPAQUE((void *)NULL), 10, SIZE / 10))
LEAK(leak_reallocarray, reallocarray(malloc(10), 10, SIZE / 10))
LEAK(leak_memalign_small, memalign(8, SIZE))

SITE static void churn(void)
{
	for (int i = 0; i < ROUNDS; i++)
		free(reallocarray(realloc(OPAQUE((void *)NULL), SIZE), 3,
				  SIZE));
	truth("churn;run;main", 0, 0);
}

SITE static void run(void)
{
	leak_malloc();
	leak_calloc();
	leak_realloc_null();
	leak_reallocarray_null();
	leak_reallocarray();
	leak_memalign_small();
	churn();
	KEEP_FRAME();
}

int main(void)
{
	target_ready();
	run();
	return target_done();
}
