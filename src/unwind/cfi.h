/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading call frame information: the records of a section (cfi_parse.c) and
 * the program of one function (cfi_execute.c). LSB Core 10.6 for .eh_frame,
 * DWARF 5 section 6.4 for .debug_frame. Input is untrusted.
 */
#ifndef UNWIND_CFI_H
#define UNWIND_CFI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"

/* DWARF register numbers, System V ABI AMD64 figure 3.36. */
#define CFI_REG_FP 6
#define CFI_REG_SP 7
#define CFI_REG_RA 16

struct cfi_section {
	const uint8_t *data;
	size_t size;
	uint64_t address; /* of the first byte, for pc-relative pointers */
	bool is_eh_frame; /* else .debug_frame */
};

struct cfi_cie {
	size_t offset; /* in the section: identity */
	uint64_t code_align;
	int64_t data_align;
	uint64_t return_register;
	uint8_t pointer_encoding; /* DW_EH_PE_* */
	bool has_augmentation_data;
	bool is_signal_frame;
	struct cursor program;
};

struct cfi_fde {
	const struct cfi_section *section;
	const struct cfi_cie *cie; /* valid during the callback */
	uint64_t start, end;	   /* link-time */
	struct cursor program;
};

/* Calls `each` for every well-formed FDE until it returns non-zero, which is
 * returned. Malformed ones are counted. The work is linear in the size. */
int cfi_each_fde(const struct cfi_section *s,
		 int (*each)(const struct cfi_fde *fde, void *context),
		 void *context, size_t *malformed);

/* An encoded code address at the cursor; what cannot be one fails. */
uint64_t cfi_read_pointer(const struct cfi_section *s, struct cursor *c,
			  uint8_t encoding);

/* ---- Programs ---------------------------------------------------------------
 */

enum cfi_cfa_kind { CFI_CFA_NONE, CFI_CFA_REGISTER, CFI_CFA_EXPRESSION };
enum cfi_fp_kind {
	CFI_FP_SAME,
	CFI_FP_OFFSET,	   /* saved at CFA + offset */
	CFI_FP_EXPRESSION, /* saved at the address computed */
	CFI_FP_UNKNOWN,
};
enum cfi_ra_kind { CFI_RA_DEFAULT, CFI_RA_UNDEFINED, CFI_RA_OTHER };

/* What holds at one address: the CFA and the two registers followed. */
struct cfi_state {
	enum cfi_cfa_kind cfa_kind;
	uint64_t cfa_register;
	int64_t cfa_offset;
	struct cursor cfa_expression;
	enum cfi_fp_kind fp_kind;
	int64_t fp_offset;
	struct cursor fp_expression;
	enum cfi_ra_kind ra_kind;
};

/*
 * Runs the FDE's program; `row` is called with the first address each state
 * holds from, addresses ascending and inside [start, end). 0, -EINVAL for a
 * malformed program (rows until there have been given), or what `row` gave.
 */
int cfi_execute(const struct cfi_fde *fde,
		int (*row)(uint64_t address, const struct cfi_state *state,
			   void *context),
		void *context);

#endif
