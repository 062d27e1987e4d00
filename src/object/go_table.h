/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Go's own table of its functions: names, files and lines by address. It is in
 * every Go program, stripped or not, as the runtime needs it to unwind (section
 * .gopclntab; Go's src/runtime/symtab.go, "pcHeader" and "_func"; src/internal/
 * abi/symtab.go). Understood from Go 1.18 on.
 *
 * The bytes are the target's: every offset is checked, every loop bounded by
 * the size of the table.
 */
#ifndef OBJECT_GO_TABLE_H
#define OBJECT_GO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A name or path longer than that is none. */
#define GO_TABLE_TEXT_MAX 4096

struct go_table {
	const uint8_t *data; /* not owned */
	size_t size;
	uint64_t text_start; /* link-time address of the first function */
	uint32_t count;	     /* functions */
	uint64_t names, units, files, values, functions; /* offsets */
};

struct go_function {
	const char *name;      /* in the table, as Go prints it */
	uint64_t address, end; /* link-time */
	uint64_t record;       /* where its _func lies in the table */
};

/* Where the header says the text starts: offset of that word in the section,
 * which a dynamic relocation may have to fill. */
#define GO_TABLE_TEXT_START_OFFSET 24

/* `data` stays the caller's and must outlive the table. 0, or -EINVAL: damaged,
 * or of a Go before 1.18. text_start is what the header says: often 0 where the
 * program is position independent (go_table_text_start). */
int go_table_open(struct go_table *t, const void *data, size_t size);

/* The text's start from the table of relocations (.rela.dyn): what is to be
 * put at link-time address `place`. False: nothing. */
bool go_table_text_start(const void *rela, size_t size, uint64_t place,
			 uint64_t *start);

/* Function number `index`; false when its entry makes no sense. */
bool go_table_function(const struct go_table *t, uint32_t index,
		       struct go_function *out);
/* The function that holds a link-time address. */
bool go_table_find(const struct go_table *t, uint64_t address,
		   struct go_function *out);
/* File and line of an address in `f`. Inlined code has those of the function
 * it was taken from. *file is NULL when not known; then the line is 0. */
void go_table_position(const struct go_table *t, const struct go_function *f,
		       uint64_t address, const char **file, uint32_t *line);

#endif
