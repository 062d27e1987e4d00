/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

/* The text of --help. */
void help_print(FILE *out);

#endif
