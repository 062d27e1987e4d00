/* SPDX-License-Identifier: GPL-2.0-only */
/* /proc/PID/maps, parsed. The text is controlled by the target (file names,
 * number of lines): names are capped, lines counted, nothing trusted. */
#ifndef TARGET_MAPS_H
#define TARGET_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mapping {
	uint64_t start; /* run-time addresses, end exclusive */
	uint64_t end;
	uint64_t file_offset;
	dev_t device;
	ino_t inode; /* 0: not a file */
	bool readable, writable, executable, shared;
	bool deleted;
	char *path; /* owned; "" for anonymous memory, "[vdso]" and the like */
};

struct maps {
	struct mapping *list; /* sorted by start */
	size_t count;
	size_t skipped; /* malformed lines and lines beyond the cap */
};

#define MAPS_LINES_MAX 65536

/* Parses text as the kernel prints it. 0 or -ENOMEM. Exposed for tests. */
int maps_parse(struct maps *m, const char *text, size_t size);
/* Reads /proc/PID/maps. `executable_only` keeps memory small on targets with
 * tens of thousands of mappings. -ESRCH when the process is gone. */
int maps_read(struct maps *m, pid_t pid, bool executable_only);
void maps_free(struct maps *m);
/* The mapping that holds `address`, or NULL. */
const struct mapping *maps_find(const struct maps *m, uint64_t address);

#endif
