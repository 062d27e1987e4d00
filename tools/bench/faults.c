/* SPDX-License-Identifier: GPL-2.0-only */
/* Nothing but page faults: an operation is one page, mapped, touched for the
 * first time and given back. */
#include <sys/mman.h>

#include "target.h"

#define PAGE  4096
#define PAGES 256

static uint64_t batch(uint64_t setting)
{
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)setting;
	if (p == MAP_FAILED)
		exit(1);
	for (int i = 0; i < PAGES; i++)
		((volatile char *)p)[i * PAGE] = 1;
	munmap(p, PAGES * PAGE);
	return PAGES;
}

int main(void)
{
	return bench_main(batch, 0);
}
