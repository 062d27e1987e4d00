/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BASE_GZIP_H
#define BASE_GZIP_H

#include <stddef.h>
#include <stdio.h>

/* Writes the bytes as a gzip file (RFC 1952). 0 or -errno. */
int gzip_write(FILE *out, const void *data, size_t size);

#endif
