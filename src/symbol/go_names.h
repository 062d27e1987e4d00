/* SPDX-License-Identifier: GPL-2.0-only */
/* Names from Go's own table of functions, for programs without DWARF. */
#ifndef SYMBOL_GO_NAMES_H
#define SYMBOL_GO_NAMES_H

#include <libelf.h>
#include <stdbool.h>
#include <stdint.h>

#include "symbol/wire.h"

struct go_names;

/* NULL: no Go program (or no memory). `elf` must outlive it. */
struct go_names *go_names_open(Elf *elf);
void go_names_free(struct go_names *g);

/* Fills `s` except for its index; false when no function holds the address. Of
 * code that was inlined only file and line are told: its function is the one it
 * was inlined into. Texts are valid as long as `g`. */
bool go_names_resolve(const struct go_names *g, uint64_t address,
		      struct wire_symbol *s);

#endif
