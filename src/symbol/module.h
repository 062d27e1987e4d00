/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One object opened in the worker: its symbol tables and DWARF, gathered from
 * the file itself, its .gnu_debugdata, its separate debug file and that one's
 * dwz supplement.
 */
#ifndef SYMBOL_MODULE_H
#define SYMBOL_MODULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbol/wire.h"

struct module;

/* How a module gets at further files: returns a descriptor (owned by the
 * module) or a negative errno. */
struct module_files {
	int (*open)(void *context, enum wire_want_kind kind, const void *name,
		    size_t size);
	void *context;
};

/* Takes the descriptor in every case. NULL: not an ELF file, or no memory. */
struct module *module_open(int fd, bool no_dwarf,
			   const struct module_files *files);
void module_close(struct module *m);

/* Fills `s` except for its index. Texts are valid until the next call. */
void module_resolve(struct module *m, uint64_t address, struct wire_symbol *s);

#endif
