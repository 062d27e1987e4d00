/* SPDX-License-Identifier: GPL-2.0-only */
/* A folder that a group of tests has for its files: cmocka group fixtures. */
#ifndef UNIT_SCRATCH_H
#define UNIT_SCRATCH_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char scratch[] = "/tmp/leakbpf-unit-XXXXXX";

static inline int scratch_make(void **state)
{
	(void)state;
	return mkdtemp(scratch) ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", scratch);
	return system(command);
}

#endif
