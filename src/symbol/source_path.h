/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of files in source maps, which are URLs relative to one another. */
#ifndef SYMBOL_SOURCE_PATH_H
#define SYMBOL_SOURCE_PATH_H

#include "base/text.h"

/* The map's path in the file system of the target, of the script `script` that
 * says it is at `url`. 0, -ENOMEM, or -ENOENT when it is not in a file. */
int source_map_path(const char *script, const char *url, struct text *out);

/* What to show for a source, as named by a map (script) with the path `base`:
 * "/srv/src/app.ts", "webpack://app/src/app.ts". 0 or -ENOMEM. */
int source_path(const char *base, const char *source, struct text *out);

#endif
