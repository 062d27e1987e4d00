/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening separate debug files on behalf of the worker, which may not. */
#ifndef SYMBOL_DEBUG_FILE_H
#define SYMBOL_DEBUG_FILE_H

#include "symbol/wire.h"

struct debug_search {
	int directory;		 /* /usr/lib/debug of this system, -1: none */
	int target_root;	 /* the target's "/", -1: none */
	const char *object_path; /* as the target names it */
};

/* A descriptor of an ELF file or -errno. `want` is untrusted: it selects a
 * file by build-id, by a name beside the object, or below .dwz/, and nothing
 * else. Whether the file is the right one is for the worker to check. */
int debug_file_open(const struct debug_search *where,
		    const struct wire_want *want);

#endif
