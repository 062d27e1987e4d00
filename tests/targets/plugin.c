// SPDX-License-Identifier: GPL-2.0-only
/* Loaded later, leaks from the C library's allocator. */
#include <stdlib.h>

#define SITE __attribute__((noinline, noclone))

void plugin_leak(void);
long plugin_bytes(void);
const char *plugin_chain(void);

static void *volatile sink;

SITE static void plugin_allocate(void)
{
	for (int i = 0; i < 50; i++)
		sink = malloc(400);
}

SITE void plugin_leak(void)
{
	plugin_allocate();
	__asm__ volatile("");
}

long plugin_bytes(void)
{
	return 50 * 400;
}

const char *plugin_chain(void)
{
	return "plugin_allocate;plugin_leak;main";
}
