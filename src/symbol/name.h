/* SPDX-License-Identifier: GPL-2.0-only */
/* Names come from files and memory of the target: what reaches a user, a
 * terminal or a file is valid UTF-8 without anything a terminal obeys. */
#ifndef SYMBOL_NAME_H
#define SYMBOL_NAME_H

#include <stddef.h>

/* Replaces, in place, each control character (C0, DEL, C1), bidirectional
 * override (it can make one name look like another) and byte that is not
 * valid UTF-8 by '?'. Returns the new size, never larger. No NUL is needed or
 * written. */
size_t symbol_clean_name(char *name, size_t size);

#endif
