// SPDX-License-Identifier: GPL-2.0-only
#include "target/pagemap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define ENTRY_PRESENT	(1ULL << 63)
#define ENTRY_SWAPPED	(1ULL << 62)
#define ENTRY_FILE	(1ULL << 61) /* of a file, or shared memory */
#define ENTRY_GUARD	(1ULL << 58) /* MADV_GUARD_INSTALL */
#define WINDOW_ENTRIES	512
#define ENTRY_OFFSET(a) ((off_t)((a) / PAGEMAP_PAGE_BYTES * 8))

int pagemap_open(pid_t pid)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static bool held(uint64_t entry)
{
	return entry & (ENTRY_PRESENT | ENTRY_SWAPPED) &&
	       !(entry & (ENTRY_FILE | ENTRY_GUARD));
}

/* Reads the entries from that of `first` to that of `last`. */
static int read_window(int fd, uint64_t first, uint64_t last, uint64_t *entries)
{
	size_t wanted = ((last - first) / PAGEMAP_PAGE_BYTES + 1) * 8;
	ssize_t got = pread(fd, entries, wanted, ENTRY_OFFSET(first));

	if (got < 0)
		return -errno;
	return (size_t)got == wanted ? 0 : -ESRCH;
}

ssize_t pagemap_gone(int fd, uint64_t *addresses, size_t count)
{
	uint64_t entries[WINDOW_ENTRIES];
	size_t gone = 0, end;

	for (size_t i = 0; i < count; i = end) {
		uint64_t first = addresses[i];
		int err;

		end = i + 1;
		while (end < count &&
		       (addresses[end] - first) / PAGEMAP_PAGE_BYTES <
			       WINDOW_ENTRIES)
			end++;
		err = read_window(fd, first, addresses[end - 1], entries);
		if (err)
			return err;
		for (size_t k = i; k < end; k++) {
			uint64_t address = addresses[k];

			if (!held(entries[(address - first) /
					  PAGEMAP_PAGE_BYTES]))
				addresses[gone++] = address;
		}
	}
	return (ssize_t)gone;
}
