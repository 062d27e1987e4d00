/* SPDX-License-Identifier: GPL-2.0-only */
/* The small moving part of the 100 MB program: leaks a little, now and then. */
#include <stdlib.h>
#include <unistd.h>

static void *volatile sink;

__attribute__((noinline)) static void leak_in_big_program(void)
{
	sink = malloc(1000);
}

int main(void)
{
	for (;;) {
		leak_in_big_program();
		usleep(5000);
	}
}
