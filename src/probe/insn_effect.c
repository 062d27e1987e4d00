// SPDX-License-Identifier: GPL-2.0-only
/* Effects of prologue instructions: see insn_effect.h. */
#include <string.h>

#include "probe/insn_effect.h"

#define ONE(r)	       (1u << (r))
#define DEPTH_STEP_MAX 65536

/* The general register that `reg` is or is a part of; -1 for others. */
static int general_register(unsigned reg)
{
	static const uint16_t names[INSN_REGISTERS][5] = {
		{X86_REG_RAX, X86_REG_EAX, X86_REG_AX, X86_REG_AL, X86_REG_AH},
		{X86_REG_RCX, X86_REG_ECX, X86_REG_CX, X86_REG_CL, X86_REG_CH},
		{X86_REG_RDX, X86_REG_EDX, X86_REG_DX, X86_REG_DL, X86_REG_DH},
		{X86_REG_RBX, X86_REG_EBX, X86_REG_BX, X86_REG_BL, X86_REG_BH},
		{X86_REG_RSP, X86_REG_ESP, X86_REG_SP, X86_REG_SPL},
		{X86_REG_RBP, X86_REG_EBP, X86_REG_BP, X86_REG_BPL},
		{X86_REG_RSI, X86_REG_ESI, X86_REG_SI, X86_REG_SIL},
		{X86_REG_RDI, X86_REG_EDI, X86_REG_DI, X86_REG_DIL},
		{X86_REG_R8, X86_REG_R8D, X86_REG_R8W, X86_REG_R8B},
		{X86_REG_R9, X86_REG_R9D, X86_REG_R9W, X86_REG_R9B},
		{X86_REG_R10, X86_REG_R10D, X86_REG_R10W, X86_REG_R10B},
		{X86_REG_R11, X86_REG_R11D, X86_REG_R11W, X86_REG_R11B},
		{X86_REG_R12, X86_REG_R12D, X86_REG_R12W, X86_REG_R12B},
		{X86_REG_R13, X86_REG_R13D, X86_REG_R13W, X86_REG_R13B},
		{X86_REG_R14, X86_REG_R14D, X86_REG_R14W, X86_REG_R14B},
		{X86_REG_R15, X86_REG_R15D, X86_REG_R15W, X86_REG_R15B},
	};

	for (int r = 0; r < INSN_REGISTERS; r++)
		for (int n = 0; n < 5; n++)
			if (names[r][n] && names[r][n] == reg)
				return r;
	return -1;
}

/* Instructions that write nothing but flags (and perhaps memory). */
static bool writes_nothing(unsigned id)
{
	switch (id) {
	case X86_INS_TEST:
	case X86_INS_CMP:
	case X86_INS_BT:
	case X86_INS_NOP:
	case X86_INS_ENDBR64:
	case X86_INS_PREFETCHNTA:
	case X86_INS_PREFETCHT0:
	case X86_INS_PREFETCHW:
		return true;
	default:
		return false;
	}
}

/* Instructions that write their first operand and nothing else. */
static bool writes_first_operand(unsigned id)
{
	switch (id) {
	case X86_INS_MOV:
	case X86_INS_MOVABS:
	case X86_INS_MOVZX:
	case X86_INS_MOVSX:
	case X86_INS_MOVSXD:
	case X86_INS_LEA:
	case X86_INS_XOR:
	case X86_INS_OR:
	case X86_INS_AND:
	case X86_INS_ADD:
	case X86_INS_SUB:
	case X86_INS_SBB:
	case X86_INS_ADC:
	case X86_INS_INC:
	case X86_INS_DEC:
	case X86_INS_NEG:
	case X86_INS_NOT:
	case X86_INS_SHL:
	case X86_INS_SHR:
	case X86_INS_SAR:
	case X86_INS_BSR:
	case X86_INS_BSF:
	case X86_INS_LZCNT:
	case X86_INS_TZCNT:
	case X86_INS_CMOVA:
	case X86_INS_CMOVAE:
	case X86_INS_CMOVB:
	case X86_INS_CMOVBE:
	case X86_INS_CMOVE:
	case X86_INS_CMOVNE:
	case X86_INS_SETA:
	case X86_INS_SETAE:
	case X86_INS_SETB:
	case X86_INS_SETBE:
	case X86_INS_SETE:
	case X86_INS_SETNE:
	case X86_INS_MOVAPS:
	case X86_INS_MOVUPS:
	case X86_INS_MOVDQA:
	case X86_INS_MOVDQU:
	case X86_INS_MOVQ:
	case X86_INS_MOVD:
	case X86_INS_MOVHPS:
	case X86_INS_PXOR:
	case X86_INS_XORPS:
	case X86_INS_PUNPCKLQDQ:
		return true;
	default:
		return false;
	}
}

/* sub/add $n, %rsp and lea n(%rsp), %rsp; other arithmetic on the stack
 * pointer (alignment) leaves the depth unknown. */
static bool stack_arithmetic(const cs_insn *i, int64_t *pushed)
{
	const cs_x86_op *op = i->detail->x86.operands;

	if (op[0].reg != X86_REG_RSP)
		return false;
	if (i->id == X86_INS_SUB && op[1].type == X86_OP_IMM)
		*pushed = op[1].imm;
	else if (i->id == X86_INS_ADD && op[1].type == X86_OP_IMM)
		*pushed = -op[1].imm;
	else if (i->id == X86_INS_LEA && op[1].type == X86_OP_MEM &&
		 op[1].mem.base == X86_REG_RSP &&
		 op[1].mem.index == X86_REG_INVALID &&
		 op[1].mem.segment == X86_REG_INVALID)
		*pushed = -op[1].mem.disp;
	else
		return false;
	return *pushed > -DEPTH_STEP_MAX && *pushed < DEPTH_STEP_MAX;
}

static void effect_first_operand(const cs_insn *i, struct insn_effect *out)
{
	const cs_x86 *x = &i->detail->x86;
	int reg;

	if (!x->op_count)
		return;
	out->known = true;
	if (x->operands[0].type != X86_OP_REG)
		return;
	reg = general_register(x->operands[0].reg);
	if (reg == INSN_RSP)
		out->known = stack_arithmetic(i, &out->pushed);
	else if (reg >= 0)
		out->writes = (uint16_t)ONE(reg);
	if (i->id == X86_INS_MOV && x->op_count == 2 &&
	    x->operands[0].size == 8 && x->operands[1].type == X86_OP_REG) {
		int from = general_register(x->operands[1].reg);

		out->copies = from >= 0 && reg >= 0;
		out->copied = (uint16_t)(out->copies ? ONE(from) : 0);
	}
}

/* mul, and imul with one operand, write %rdx:%rax. */
static void effect_multiply(const cs_insn *i, struct insn_effect *out)
{
	if (i->id == X86_INS_IMUL && i->detail->x86.op_count > 1) {
		effect_first_operand(i, out);
		return;
	}
	out->known = true;
	out->writes = ONE(INSN_RAX) | ONE(INSN_RDX);
}

static void effect_push_pop(const cs_insn *i, struct insn_effect *out)
{
	const cs_x86 *x = &i->detail->x86;
	int reg = -1;

	if (x->op_count != 1 || x->prefix[2] == 0x66)
		return;
	if (i->id == X86_INS_PUSH) {
		out->known = true;
		out->pushed = 8;
		return;
	}
	if (x->operands[0].type == X86_OP_REG)
		reg = general_register(x->operands[0].reg);
	if (reg < 0 || reg == INSN_RSP)
		return;
	out->known = true;
	out->pushed = -8;
	out->writes = (uint16_t)ONE(reg);
}

void insn_effect_of(const cs_insn *i, struct insn_effect *out)
{
	memset(out, 0, sizeof(*out));
	if (!i->detail)
		return;
	if (writes_nothing(i->id))
		out->known = true;
	else if (writes_first_operand(i->id))
		effect_first_operand(i, out);
	else if (i->id == X86_INS_MUL || i->id == X86_INS_IMUL)
		effect_multiply(i, out);
	else if (i->id == X86_INS_PUSH || i->id == X86_INS_POP)
		effect_push_pop(i, out);
	else if (i->id == X86_INS_CDQE) {
		out->known = true;
		out->writes = ONE(INSN_RAX);
	}
}
