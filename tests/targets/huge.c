// SPDX-License-Identifier: GPL-2.0-only
/* Terabytes go through one call path: mapped, never touched, freed again. */
#include <stdlib.h>

#include "target.h"

SITE static void allocate_huge(void)
{
	for (int i = 0; i < 300; i++) {
		void *p = malloc((size_t)8 << 30);

		EXPECT(p);
		target_sink = p;
		free(p);
	}
	target_sink = malloc(4242);
	truth("allocate_huge;main", 4242, 1);
}

int main(void)
{
	target_ready();
	allocate_huge();
	return target_done();
}
