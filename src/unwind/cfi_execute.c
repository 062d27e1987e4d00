// SPDX-License-Identifier: GPL-2.0-only
/* The interpreter of call frame instructions, DWARF 5 section 6.4.2. */
#include <errno.h>
#include <stdbool.h>

#include "unwind/cfi.h"

enum {
	CFA_NOP = 0x00,
	CFA_SET_LOC = 0x01,
	CFA_ADVANCE_LOC1 = 0x02,
	CFA_ADVANCE_LOC2 = 0x03,
	CFA_ADVANCE_LOC4 = 0x04,
	CFA_OFFSET_EXTENDED = 0x05,
	CFA_RESTORE_EXTENDED = 0x06,
	CFA_UNDEFINED = 0x07,
	CFA_SAME_VALUE = 0x08,
	CFA_REGISTER = 0x09,
	CFA_REMEMBER_STATE = 0x0a,
	CFA_RESTORE_STATE = 0x0b,
	CFA_DEF_CFA = 0x0c,
	CFA_DEF_CFA_REGISTER = 0x0d,
	CFA_DEF_CFA_OFFSET = 0x0e,
	CFA_DEF_CFA_EXPRESSION = 0x0f,
	CFA_EXPRESSION = 0x10,
	CFA_OFFSET_EXTENDED_SF = 0x11,
	CFA_DEF_CFA_SF = 0x12,
	CFA_DEF_CFA_OFFSET_SF = 0x13,
	CFA_VAL_OFFSET = 0x14,
	CFA_VAL_OFFSET_SF = 0x15,
	CFA_VAL_EXPRESSION = 0x16,
	CFA_GNU_WINDOW_SAVE = 0x2d,
	CFA_GNU_ARGS_SIZE = 0x2e,
	CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
	CFA_ADVANCE_LOC = 0x40, /* high two bits */
	CFA_OFFSET = 0x80,
	CFA_RESTORE = 0xc0,
};

/* Compilers nest one or two. */
#define REMEMBERED_MAX 16

struct machine {
	const struct cfi_section *section;
	const struct cfi_cie *cie;
	struct cfi_state state;
	struct cfi_state initial; /* after the CIE's program */
	struct cfi_state remembered[REMEMBERED_MAX];
	unsigned remembered_count;
	uint64_t location;
	bool failed;
};

/* ---- Rules of the registers followed
 * ------------------------------------------ */

static void saved_at_offset(struct machine *m, uint64_t reg, int64_t offset)
{
	if (reg == CFI_REG_FP) {
		m->state.fp_kind = CFI_FP_OFFSET;
		m->state.fp_offset = offset;
	} else if (reg == CFI_REG_RA) {
		m->state.ra_kind = offset == -8 ? CFI_RA_DEFAULT : CFI_RA_OTHER;
	}
}

static void set_unknown(struct machine *m, uint64_t reg)
{
	if (reg == CFI_REG_FP)
		m->state.fp_kind = CFI_FP_UNKNOWN;
	else if (reg == CFI_REG_RA)
		m->state.ra_kind = CFI_RA_OTHER;
}

static void set_undefined(struct machine *m, uint64_t reg)
{
	/* A caller's frame pointer that is lost is kept as it is: the callers
	 * of such code do not use it either. */
	if (reg == CFI_REG_FP)
		m->state.fp_kind = CFI_FP_SAME;
	else if (reg == CFI_REG_RA)
		m->state.ra_kind = CFI_RA_UNDEFINED;
}

static void set_same(struct machine *m, uint64_t reg)
{
	if (reg == CFI_REG_FP)
		m->state.fp_kind = CFI_FP_SAME;
	else if (reg == CFI_REG_RA)
		m->state.ra_kind = CFI_RA_OTHER;
}

static void set_expression(struct machine *m, uint64_t reg, struct cursor e)
{
	if (reg == CFI_REG_FP) {
		m->state.fp_kind = CFI_FP_EXPRESSION;
		m->state.fp_expression = e;
	} else if (reg == CFI_REG_RA) {
		m->state.ra_kind = CFI_RA_OTHER;
	}
}

static void restore_initial(struct machine *m, uint64_t reg)
{
	if (reg == CFI_REG_FP) {
		m->state.fp_kind = m->initial.fp_kind;
		m->state.fp_offset = m->initial.fp_offset;
		m->state.fp_expression = m->initial.fp_expression;
	} else if (reg == CFI_REG_RA) {
		m->state.ra_kind = m->initial.ra_kind;
	}
}

static void def_cfa(struct machine *m, uint64_t reg, int64_t offset)
{
	m->state.cfa_kind = CFI_CFA_REGISTER;
	m->state.cfa_register = reg;
	m->state.cfa_offset = offset;
}

static struct cursor read_block(struct cursor *c)
{
	size_t size = cursor_uleb(c);
	const uint8_t *bytes = cursor_bytes(c, size);

	return bytes ? cursor_make(bytes, size) : cursor_make(c->end, 0);
}

/* Wraps instead of overflowing: the numbers are the file's. */
static int64_t scaled(int64_t factor, int64_t n)
{
	return (int64_t)((uint64_t)factor * (uint64_t)n);
}

static int64_t negated(uint64_t n)
{
	return (int64_t)-n;
}

/* ---- Instructions
 * ---------------------------------------------------------------- */

/* Instructions without an operand in the opcode that move the location or the
 * whole state. False: none of them. */
static bool run_control(struct machine *m, struct cursor *c, uint8_t op)
{
	switch (op) {
	case CFA_NOP:
	case CFA_GNU_WINDOW_SAVE:
		return true;
	case CFA_SET_LOC:
		m->location = cfi_read_pointer(m->section, c,
					       m->cie->pointer_encoding);
		return true;
	case CFA_ADVANCE_LOC1:
		m->location += cursor_u8(c) * m->cie->code_align;
		return true;
	case CFA_ADVANCE_LOC2:
		m->location += cursor_u16(c) * m->cie->code_align;
		return true;
	case CFA_ADVANCE_LOC4:
		m->location += cursor_u32(c) * m->cie->code_align;
		return true;
	case CFA_REMEMBER_STATE:
		if (m->remembered_count == REMEMBERED_MAX)
			m->failed = true;
		else
			m->remembered[m->remembered_count++] = m->state;
		return true;
	case CFA_RESTORE_STATE:
		if (!m->remembered_count)
			m->failed = true;
		else
			m->state = m->remembered[--m->remembered_count];
		return true;
	case CFA_GNU_ARGS_SIZE:
		cursor_uleb(c);
		return true;
	default:
		return false;
	}
}

static bool run_cfa(struct machine *m, struct cursor *c, uint8_t op)
{
	int64_t align = m->cie->data_align;
	uint64_t reg;

	switch (op) {
	case CFA_DEF_CFA:
		reg = cursor_uleb(c);
		def_cfa(m, reg, (int64_t)cursor_uleb(c));
		return true;
	case CFA_DEF_CFA_SF:
		reg = cursor_uleb(c);
		def_cfa(m, reg, scaled(align, cursor_sleb(c)));
		return true;
	case CFA_DEF_CFA_REGISTER:
		def_cfa(m, cursor_uleb(c), m->state.cfa_offset);
		return true;
	case CFA_DEF_CFA_OFFSET:
		def_cfa(m, m->state.cfa_register, (int64_t)cursor_uleb(c));
		return true;
	case CFA_DEF_CFA_OFFSET_SF:
		def_cfa(m, m->state.cfa_register,
			scaled(align, cursor_sleb(c)));
		return true;
	case CFA_DEF_CFA_EXPRESSION:
		m->state.cfa_kind = CFI_CFA_EXPRESSION;
		m->state.cfa_expression = read_block(c);
		return true;
	default:
		return false;
	}
}

static void run_register(struct machine *m, struct cursor *c, uint8_t op)
{
	int64_t align = m->cie->data_align;
	uint64_t reg = cursor_uleb(c);

	switch (op) {
	case CFA_OFFSET_EXTENDED:
		saved_at_offset(m, reg, scaled(align, (int64_t)cursor_uleb(c)));
		break;
	case CFA_OFFSET_EXTENDED_SF:
		saved_at_offset(m, reg, scaled(align, cursor_sleb(c)));
		break;
	case CFA_GNU_NEGATIVE_OFFSET_EXTENDED:
		saved_at_offset(m, reg, scaled(align, negated(cursor_uleb(c))));
		break;
	case CFA_RESTORE_EXTENDED:
		restore_initial(m, reg);
		break;
	case CFA_UNDEFINED:
		set_undefined(m, reg);
		break;
	case CFA_SAME_VALUE:
		set_same(m, reg);
		break;
	case CFA_EXPRESSION:
		set_expression(m, reg, read_block(c));
		break;
	case CFA_VAL_EXPRESSION:
		read_block(c);
		set_unknown(m, reg);
		break;
	case CFA_REGISTER:
	case CFA_VAL_OFFSET:
		cursor_uleb(c);
		set_unknown(m, reg);
		break;
	case CFA_VAL_OFFSET_SF:
		cursor_sleb(c);
		set_unknown(m, reg);
		break;
	default:
		m->failed = true;
	}
}

static void run_instruction(struct machine *m, struct cursor *c)
{
	uint8_t op = cursor_u8(c);
	uint8_t operand = op & 0x3f;

	switch (op & 0xc0) {
	case CFA_ADVANCE_LOC:
		m->location += operand * m->cie->code_align;
		return;
	case CFA_OFFSET:
		saved_at_offset(
			m, operand,
			scaled(m->cie->data_align, (int64_t)cursor_uleb(c)));
		return;
	case CFA_RESTORE:
		restore_initial(m, operand);
		return;
	}
	if (!run_control(m, c, op) && !run_cfa(m, c, op))
		run_register(m, c, op);
}

int cfi_execute(const struct cfi_fde *fde,
		int (*row)(uint64_t address, const struct cfi_state *state,
			   void *context),
		void *context)
{
	struct machine m;
	struct cursor c = fde->cie->program;
	uint64_t emitted = fde->start;
	int result;

	m.section = fde->section;
	m.cie = fde->cie;
	m.state = (struct cfi_state){.cfa_kind = CFI_CFA_NONE};
	m.remembered_count = 0;
	m.location = fde->start;
	m.failed = false;
	m.initial = m.state;
	while (cursor_left(&c) && !c.failed && !m.failed)
		run_instruction(&m, &c);
	m.initial = m.state;
	m.location = fde->start;
	if (c.failed || m.failed)
		return -EINVAL;

	c = fde->program;
	while (cursor_left(&c)) {
		/* An instruction moves on or changes the state, never both. */
		run_instruction(&m, &c);
		if (c.failed || m.failed || m.location < emitted)
			return -EINVAL;
		if (m.location == emitted)
			continue;
		if (m.location >= fde->end)
			break;
		result = row(emitted, &m.state, context);
		if (result)
			return result;
		emitted = m.location;
	}
	return row(emitted, &m.state, context);
}
