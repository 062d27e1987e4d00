/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/lab_site.h"

#include <asm/ptrace.h>
#include <stddef.h>

#include "probe/insn.h"

#define CODE_BYTES_MAX 1024
/* sizeof(MainAllocator) is below. */
#define LOCK_OFFSET_MAX 0x200

static const cs_x86_op *operand(const cs_insn *i, unsigned int n,
				x86_op_type type)
{
	const cs_x86 *x = &i->detail->x86;

	return n < x->op_count && x->operands[n].type == type ? &x->operands[n]
							      : NULL;
}

/* Of those that a call may change: the others are the caller's. */
static bool register_offset(x86_reg reg, uint16_t *offset)
{
	switch (reg) {
#if defined(__x86_64__)
	case X86_REG_RCX:
		*offset = offsetof(struct pt_regs, rcx);
		return true;
	case X86_REG_RDX:
		*offset = offsetof(struct pt_regs, rdx);
		return true;
	case X86_REG_RSI:
		*offset = offsetof(struct pt_regs, rsi);
		return true;
	case X86_REG_R8:
		*offset = offsetof(struct pt_regs, r8);
		return true;
	case X86_REG_R9:
		*offset = offsetof(struct pt_regs, r9);
		return true;
#endif
	default:
		return false;
	}
}

struct search {
	x86_reg top; /* X86_REG_INVALID: not seen yet */
	int64_t lock;
};

/* One instruction before the call. False: `top` is lost. */
static bool look(struct search *s, const cs_insn *i)
{
	const cs_x86_op *to = operand(i, 0, X86_OP_REG);
	const cs_x86_op *from = operand(i, 1, X86_OP_REG);
	const cs_x86_op *address = operand(i, 1, X86_OP_MEM);

	if (i->id == X86_INS_CMPXCHG && from)
		s->top = from->reg;
	else if (s->top != X86_REG_INVALID && to && to->reg == s->top)
		return false;
	if (i->id == X86_INS_LEA && address &&
	    address->mem.index == X86_REG_INVALID &&
	    address->mem.base != X86_REG_RIP)
		s->lock = address->mem.disp;
	return true;
}

bool v8_lab_site_find(const struct object *o, const struct v8_symbol *function,
		      struct v8_lab_site *out)
{
	uint64_t offset, size = function->size;
	struct search s = {.top = X86_REG_INVALID};
	uint8_t code[CODE_BYTES_MAX];
	struct insn_reader reader;
	bool found = false, usable = true;
	struct insn insn;

	if (!function->address || !size || size > sizeof(code) ||
	    !object_address_to_offset(o, function->address, &offset) ||
	    object_read(o, offset, code, size) ||
	    insn_reader_open(&reader, code, size, function->address, true))
		return false;
	while (usable && !found && insn_read(&reader, &insn)) {
		found = insn.flow == INSN_CALL;
		usable = reader.detail->detail && look(&s, reader.detail);
	}
	insn_reader_close(&reader);
	out->offset = (uint32_t)(insn.address - function->address);
	out->lock = (uint16_t)s.lock;
	return found && usable && s.lock > 0 && s.lock < LOCK_OFFSET_MAX &&
	       register_offset(s.top, &out->top_register);
}
