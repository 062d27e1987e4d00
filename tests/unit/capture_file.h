/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a group of tests has its capture: cmocka group fixtures. */
#ifndef UNIT_CAPTURE_FILE_H
#define UNIT_CAPTURE_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[] = "/tmp/leakbpf-capture-XXXXXX";
static char path[64];

static inline int make_directory(void **state)
{
	(void)state;
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/capture", directory);
	return 0;
}

static inline int remove_directory(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(directory); /* fails when anything is left */
}

#endif
