/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names that a capture lacks, from files of this machine: the program or
 * library at the same path if its build-id is the same, else its debug file
 * below /usr/lib/debug/.build-id, else from a server. What has a name keeps it,
 * unless a server knows the line, too.
 */
#ifndef SYMBOL_NAMES_LOCAL_H
#define SYMBOL_NAMES_LOCAL_H

#include "symbol/names.h"

struct names_local;
struct debuginfod;

/* `base` must outlive it, and stay where it is, as must `debuginfod`: where to
 * get debug files that this machine does not have (NULL: nowhere). NULL without
 * memory. */
struct names_local *names_local_new(const struct names *base,
				    struct debuginfod *debuginfod);
void names_local_free(struct names_local *n);
struct names names_of_local(struct names_local *n);

#endif
