// SPDX-License-Identifier: GPL-2.0-only
/* Decoding: see insn.h. */
#include <errno.h>
#include <string.h>

#include "probe/insn.h"

/* What stands before the opcode (Intel SDM volume 2, 2.1). */
struct prefixes {
	uint8_t count;
	bool operand_size; /* 66 */
	bool address_size; /* 67 */
	bool repeat;	   /* f3 */
	bool repeat_not;   /* f2; "bnd" before a branch */
	bool refused;	   /* lock and segment overrides but fs and gs */
	uint8_t rex;
};

static bool prefix_read(uint8_t byte, struct prefixes *p)
{
	switch (byte) {
	case 0x66:
		p->operand_size = true;
		return true;
	case 0x67:
		p->address_size = true;
		return true;
	case 0xf2:
		p->repeat_not = true;
		return true;
	case 0xf3:
		p->repeat = true;
		return true;
	case 0x64:
	case 0x65:
		return true;
	case 0x26: /* es, cs, ss, ds (also notrack and branch hints), lock: */
	case 0x2e: /* is_prefix_bad() in the kernel's uprobes.c */
	case 0x36:
	case 0x3e:
	case 0xf0:
		p->refused = true;
		return true;
	default:
		return false;
	}
}

static void prefixes_read(const uint8_t *bytes, size_t size, struct prefixes *p)
{
	memset(p, 0, sizeof(*p));
	while (p->count < size && prefix_read(bytes[p->count], p))
		p->count++;
	if (p->count < size && (bytes[p->count] & 0xf0) == 0x40)
		p->rex = bytes[p->count++];
}

static int64_t relative(const uint8_t *at, size_t size)
{
	int32_t wide;

	if (size == 1)
		return (int8_t)at[0];
	memcpy(&wide, at, sizeof(wide));
	return wide;
}

/* ff /2 call, ff /4 jmp; mod 0 rm 5 is disp32(%rip). */
static void classify_group5(struct insn *i, const uint8_t *op, size_t left)
{
	uint8_t modrm = left >= 2 ? op[1] : 0;
	uint8_t reg = modrm >> 3 & 7;
	bool slot = (modrm & 0xc7) == 0x05 && left == 6;

	if (reg == 2 || reg == 3)
		i->flow =
			slot && reg == 2 ? INSN_CALL_SLOT : INSN_CALL_COMPUTED;
	else if (reg == 4 || reg == 5)
		i->flow =
			slot && reg == 4 ? INSN_JUMP_SLOT : INSN_JUMP_COMPUTED;
	if (i->flow == INSN_CALL_SLOT || i->flow == INSN_JUMP_SLOT)
		i->target = i->address + i->size + relative(op + 2, 4);
}

static void classify_direct(struct insn *i, enum insn_flow flow,
			    const uint8_t *displacement, size_t size)
{
	i->flow = flow;
	i->target = i->address + i->size + relative(displacement, size);
}

static void classify_two_byte(struct insn *i, const uint8_t *op, size_t left)
{
	if (left == 6 && (op[1] & 0xf0) == 0x80)
		classify_direct(i, INSN_BRANCH, op + 2, 4);
	else if (left >= 2 && (op[1] == 0x0b || op[1] == 0xb9 || op[1] == 0xff))
		i->flow = INSN_TRAP; /* ud2, ud1, ud0 */
}

static void classify_opcode(struct insn *i, const uint8_t *op, size_t left)
{
	i->flow = INSN_NEXT;
	switch (op[0]) {
	case 0x0f:
		classify_two_byte(i, op, left);
		break;
	case 0x70 ... 0x7f:
	case 0xe0 ... 0xe3: /* loop, jrcxz */
		if (left == 2)
			classify_direct(i, INSN_BRANCH, op + 1, 1);
		break;
	case 0xe8:
		if (left == 5)
			classify_direct(i, INSN_CALL, op + 1, 4);
		break;
	case 0xe9:
		if (left == 5)
			classify_direct(i, INSN_JUMP, op + 1, 4);
		break;
	case 0xeb:
		if (left == 2)
			classify_direct(i, INSN_JUMP, op + 1, 1);
		break;
	case 0xc2:
	case 0xc3:
	case 0xca:
	case 0xcb:
	case 0xcf:
		i->flow = INSN_RETURN;
		break;
	case 0xcc:
	case 0xf1:
	case 0xf4:
		i->flow = INSN_TRAP;
		break;
	case 0xff:
		classify_group5(i, op, left);
		break;
	}
}

static bool is_branch_opcode(const uint8_t *op, size_t left)
{
	return (op[0] & 0xf0) == 0x70 || (op[0] >= 0xe0 && op[0] <= 0xe3) ||
	       op[0] == 0xe8 || op[0] == 0xe9 || op[0] == 0xeb ||
	       (left >= 2 && op[0] == 0x0f && (op[1] & 0xf0) == 0x80);
}

/* False for what cannot be told for sure: Intel and AMD disagree on the length
 * of a near branch with an operand-size prefix. */
static bool classify(struct insn *i)
{
	struct prefixes p;
	size_t left;

	prefixes_read(i->bytes, i->size, &p);
	if (p.count >= i->size)
		return false;
	left = i->size - p.count;
	if (p.operand_size && is_branch_opcode(i->bytes + p.count, left))
		return false;
	classify_opcode(i, i->bytes + p.count, left);
	return true;
}

int insn_reader_open(struct insn_reader *r, const uint8_t *code, size_t size,
		     uint64_t address, bool with_detail)
{
	memset(r, 0, sizeof(*r));
	r->code = code;
	r->size = size;
	r->address = address;
	if (cs_open(CS_ARCH_X86, CS_MODE_64, &r->capstone) != CS_ERR_OK)
		return -ENOMEM;
	if (with_detail)
		cs_option(r->capstone, CS_OPT_DETAIL, CS_OPT_ON);
	r->detail = cs_malloc(r->capstone);
	if (r->detail)
		return 0;
	cs_close(&r->capstone);
	return -ENOMEM;
}

void insn_reader_close(struct insn_reader *r)
{
	cs_free(r->detail, 1);
	cs_close(&r->capstone);
}

bool insn_read(struct insn_reader *r, struct insn *out)
{
	const uint8_t *code;
	uint64_t address;
	size_t left;

	if (r->offset >= r->size)
		return false;
	code = r->code + r->offset;
	left = r->size - r->offset;
	address = r->address + r->offset;
	memset(out, 0, sizeof(*out));
	out->bytes = code;
	out->address = address;
	if (!cs_disasm_iter(r->capstone, &code, &left, &address, r->detail) ||
	    !r->detail->size || r->detail->size > INSN_BYTES_MAX)
		return false;
	out->size = (uint8_t)r->detail->size;
	if (!classify(out))
		return false;
	r->offset += out->size;
	return true;
}

bool insn_is_endbr64(const struct insn *i)
{
	return i->size == 4 && !memcmp(i->bytes, "\xf3\x0f\x1e\xfa", 4);
}

bool insn_is_nop5(const struct insn *i)
{
	return i->size == 5 && !memcmp(i->bytes, "\x0f\x1f\x44\x00\x00", 5);
}

/* x86_nops[] (arch/x86/include/asm/nops.h), compared whole by
 * branch_setup_xol_ops() from Linux 6.16 on. Longer ones are not emulated. */
static bool is_long_nop(const struct insn *i)
{
	static const uint8_t nops[][8] = {
		{0x66, 0x90},
		{0x0f, 0x1f, 0x00},
		{0x0f, 0x1f, 0x40, 0x00},
		{0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00},
		{0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00},
		{0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00},
	};

	return i->size >= 2 && i->size <= 8 &&
	       !memcmp(i->bytes, nops[i->size - 2], i->size);
}

/* push_setup_xol_ops(): push of a register, with no prefix but REX.B. */
static bool is_plain_push(const struct insn *i)
{
	const uint8_t *b = i->bytes;

	return (i->size == 1 && (b[0] & 0xf8) == 0x50) ||
	       (i->size == 2 && b[0] == 0x41 && (b[1] & 0xf8) == 0x50);
}

/*
 * Opcodes that the kernel's good_insns_64[] refuses: in, out, int3, int, hlt,
 * cli, sti and far transfers, EVEX; VEX on older kernels. For two-byte
 * opcodes good_2byte_insns[] refuses system instructions.
 */
static bool opcode_refused(const uint8_t *op, size_t left)
{
	switch (op[0]) {
	case 0x62:
	case 0x6c ... 0x6f:
	case 0xc4 ... 0xc5:
	case 0xcc ... 0xcf:
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
	case 0xf1:
	case 0xf4:
	case 0xfa ... 0xfb:
		return true;
	case 0x0f:
		return left < 2 || op[1] <= 0x0c ||
		       (op[1] >= 0x30 && op[1] <= 0x3f && op[1] != 0x31 &&
			op[1] != 0x38 && op[1] != 0x3a);
	default:
		return false;
	}
}

/* branch_setup_xol_ops(): call, jmp and jcc with an immediate; "bnd" does no
 * harm. loop and jrcxz are not among them. */
static bool is_emulated_branch(const uint8_t *op, size_t left)
{
	return is_branch_opcode(op, left) && !(op[0] >= 0xe0 && op[0] <= 0xe3);
}

enum insn_cost insn_probe_cost(const struct insn *i)
{
	struct prefixes p;
	const uint8_t *op;
	size_t left;

	prefixes_read(i->bytes, i->size, &p);
	if (p.refused || p.count >= i->size)
		return INSN_REFUSED;
	op = i->bytes + p.count;
	left = i->size - p.count;
	if (is_plain_push(i) || (i->size == 1 && op[0] == 0x90))
		return INSN_EMULATED;
	if (is_branch_opcode(op, left)) {
		if (p.operand_size)
			return INSN_REFUSED;
		return is_emulated_branch(op, left) && !p.repeat && !p.rex &&
				       !p.address_size
			       ? INSN_EMULATED
			       : INSN_STEPPED;
	}
	/* 66 90 was refused by kernels before 6.2. */
	if (is_long_nop(i))
		return i->size == 2 ? INSN_REFUSED : INSN_EMULATED_6_16;
	return opcode_refused(op, left) ? INSN_REFUSED : INSN_STEPPED;
}

bool insn_plt_slot(const uint8_t *code, size_t size, uint64_t address,
		   uint64_t *slot)
{
	size_t at = 0;
	int32_t displacement;

	if (size >= 4 && !memcmp(code, "\xf3\x0f\x1e\xfa", 4))
		at = 4;
	if (size > at && code[at] == 0xf2)
		at++;
	if (size < at + 6 || code[at] != 0xff || code[at + 1] != 0x25)
		return false;
	memcpy(&displacement, code + at + 2, sizeof(displacement));
	*slot = address + at + 6 + (int64_t)displacement;
	return true;
}
