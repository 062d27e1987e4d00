/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration file: lines "name = value", where names are those of the
 * long options; comments stand on lines of their own behind # or ;. No
 * sections, no quotes, no continued lines. A name may be repeated.
 */
#ifndef CLI_CONFIG_FILE_H
#define CLI_CONFIG_FILE_H

#include <stddef.h>

struct config_entry {
	char *name, *value; /* without blanks around them */
	unsigned line;	    /* from 1 */
};

struct config {
	char *path;
	struct config_entry *entries;
	size_t count;
};

/* 0; -ENOENT: there is no such file; or another -errno: `error` says in one
 * line what is wrong and where ("FILE:LINE: ..."). Release with config_free. */
int config_read(const char *path, struct config **out, char *error,
		size_t error_size);
void config_free(struct config *c); /* NULL is fine */

#endif
