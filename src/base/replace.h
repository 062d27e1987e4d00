/* SPDX-License-Identifier: GPL-2.0-only */
/* Files that are replaced as a whole: written under another name beside the
 * old one, then renamed. Symbolic links are replaced, not followed. */
#ifndef BASE_REPLACE_H
#define BASE_REPLACE_H

#include <stddef.h>

/* A new, empty file beside `file`, open for reading and writing, with the
 * permissions that creating `file` would have given. `name` (PATH_MAX) gets
 * its name. A descriptor or -errno. */
int replace_create(const char *file, char *name, size_t size);
/* Whether replace_create would work: 0 or -errno; leaves nothing. */
int replace_check(const char *file);

#endif
