/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Real builds of Node: those that tools/setup.sh installs for the tests, or
 * unpacked packages in folders below $LEAKBPF_NODE_DIR.
 */
#ifndef TESTS_V8_BINARIES_H
#define TESTS_V8_BINARIES_H

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

static inline size_t v8_binaries(glob_t *found)
{
	static const char *const installed[] = {
		"tests/targets/node/node_modules/node[0-9]*/bin/node",
		".cache/debian-node/usr/lib/x86_64-linux-gnu/libnode.so.*",
		"/usr/lib/x86_64-linux-gnu/libnode.so.*"};
	static const char *const unpacked[] = {
		"*/package/bin/node", "*/bin/node",
		"*/usr/lib/x86_64-linux-gnu/libnode.so.*"};
	const char *folder = getenv("LEAKBPF_NODE_DIR");

	for (size_t i = 0; i < sizeof(installed) / sizeof(installed[0]); i++) {
		char pattern[512];

		if (folder)
			snprintf(pattern, sizeof(pattern), "%s/%s", folder,
				 unpacked[i]);
		else
			snprintf(pattern, sizeof(pattern), "%s", installed[i]);
		glob(pattern, i ? GLOB_APPEND : 0, NULL, found);
	}
	return found->gl_pathc;
}

#endif
