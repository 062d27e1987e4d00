// SPDX-License-Identifier: GPL-2.0-only
#include "unwind/rule.h"

#include <string.h>

/* DWARF expression operators used in CFI, DWARF 5 section 7.7.1. */
enum {
	OP_DEREF = 0x06,
	OP_CONST1U = 0x08,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_LIT0 = 0x30,
	OP_LIT31 = 0x4f,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
};

/* An expression is looked at for each row that it holds for; those that can be
 * compiled have a dozen bytes. */
#define EXPRESSION_BYTES_MAX 64

/* What an address expression boils down to:
 * reg + offset, or *(reg + offset) + deref_offset. */
struct address {
	uint64_t reg;
	int64_t offset;
	bool deref;
	int64_t deref_offset;
};

/* Wraps around: the numbers are the file's. */
static int64_t sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static bool parse_addend(struct cursor *c, uint8_t op, int64_t *addend)
{
	if (op == OP_PLUS_UCONST) {
		*addend = (int64_t)cursor_uleb(c);
		return true;
	}
	if (op >= OP_LIT0 && op <= OP_LIT31)
		*addend = op - OP_LIT0;
	else if (op == OP_CONST1U)
		*addend = cursor_u8(c);
	else
		return false;
	return cursor_u8(c) == OP_PLUS;
}

/* breg offset [deref] [add constant]: stack realignment of gcc (CFA =
 * *(rbp - 8)), hand-written assembly (CFA = *(rsp + 152) + 8). */
static bool parse_address(struct cursor c, struct address *a)
{
	uint8_t op;

	memset(a, 0, sizeof(*a));
	if (cursor_left(&c) > EXPRESSION_BYTES_MAX)
		return false;
	op = cursor_u8(&c);
	if (op < OP_BREG0 || op > OP_BREG31)
		return false;
	a->reg = op - OP_BREG0;
	a->offset = cursor_sleb(&c);
	while (cursor_left(&c) && !c.failed) {
		int64_t addend;

		op = cursor_u8(&c);
		if (op == OP_DEREF && !a->deref) {
			a->deref = true;
			continue;
		}
		if (!parse_addend(&c, op, &addend))
			return false;
		if (a->deref)
			a->deref_offset = sum(a->deref_offset, addend);
		else
			a->offset = sum(a->offset, addend);
	}
	return !c.failed;
}

/*
 * The one expression linkers write for .plt: CFA = rsp + 8 +
 * ((rip & 15) >= N) * 8 (N is 11, or 10 with .plt.sec). breg7 8; breg16 0;
 * lit15; and; litN; ge; lit3; shl; plus.
 */
static bool parse_plt(struct cursor c, uint8_t *threshold)
{
	const uint8_t *e = cursor_bytes(&c, 11);

	if (!e || cursor_left(&c))
		return false;
	if (memcmp(e, "\x77\x08\x80\x00\x3f\x1a", 6) ||
	    memcmp(e + 7, "\x2a\x33\x24\x22", 4) || e[6] < OP_LIT0 + 1 ||
	    e[6] > OP_LIT0 + 15)
		return false;
	*threshold = e[6] - OP_LIT0;
	return true;
}

static bool fits_s32(int64_t n)
{
	return n >= INT32_MIN && n <= INT32_MAX;
}

static bool followed_register(uint64_t dwarf, uint8_t *reg)
{
	if (dwarf != CFI_REG_SP && dwarf != CFI_REG_FP)
		return false;
	*reg = dwarf == CFI_REG_SP ? UNWIND_REG_SP : UNWIND_REG_FP;
	return true;
}

/* ---- Extended rules --------------------------------------------------------
 */

static uint16_t *pool_slot(struct rule_packer *p,
			   const struct unwind_rule_ext *x)
{
	const size_t slots = sizeof(p->slots) / sizeof(*p->slots);
	uint64_t words[2], hash;

	_Static_assert(sizeof(*x) == sizeof(words), "hashed as two words");
	memcpy(words, x, sizeof(words));
	hash = (words[0] ^ words[1] * 0x9e3779b97f4a7c15ULL) *
	       0x9e3779b97f4a7c15ULL;
	/* At most half of the slots are taken, so there is a free one. */
	for (size_t i = (hash >> 32) % slots;; i = (i + 1) % slots) {
		uint16_t *slot = &p->slots[i];

		if (!*slot ||
		    !memcmp(&p->pool->rules[*slot - 1], x, sizeof(*x)))
			return slot;
	}
}

void rule_packer_init(struct rule_packer *p, struct unwind_rule_pool *pool)
{
	memset(p, 0, sizeof(*p));
	p->pool = pool;
	for (size_t i = 0; i < UNWIND_RULES_EXT_MAX; i++)
		if (pool->uses[i])
			*pool_slot(p, &pool->rules[i]) = (uint16_t)(i + 1);
}

/* A free number for a new rule. False: there is none. */
static bool pool_make(struct rule_packer *p, size_t *number)
{
	struct unwind_rule_pool *pool = p->pool;

	while (p->next < UNWIND_RULES_EXT_MAX && pool->uses[p->next])
		p->next++;
	if (p->next == UNWIND_RULES_EXT_MAX || p->made == RULES_EXT_PER_OBJECT)
		return false;
	p->made++;
	*number = p->next++;
	return true;
}

static uint32_t pool_rule(struct rule_packer *p,
			  const struct unwind_rule_ext *x)
{
	uint16_t *slot = pool_slot(p, x);
	size_t number;

	if (!*slot) {
		if (!pool_make(p, &number)) {
			p->roomless++;
			return UNWIND_BAD;
		}
		p->pool->rules[number] = *x;
		*slot = (uint16_t)(number + 1);
	}
	return UNWIND_EXT | (uint32_t)(*slot - 1) << UNWIND_OFFSET_SHIFT;
}

static bool extended_cfa(const struct cfi_state *s, struct unwind_rule_ext *x)
{
	struct address a = {.reg = s->cfa_register, .offset = s->cfa_offset};

	if (s->cfa_kind == CFI_CFA_EXPRESSION &&
	    parse_plt(s->cfa_expression, &x->plt_threshold)) {
		x->cfa_register = UNWIND_REG_SP;
		x->cfa_offset = 8;
		return true;
	}
	if (s->cfa_kind == CFI_CFA_EXPRESSION &&
	    !parse_address(s->cfa_expression, &a))
		return false;
	if (!followed_register(a.reg, &x->cfa_register) ||
	    !fits_s32(a.offset) || !fits_s32(a.deref_offset))
		return false;
	x->cfa_offset = (int32_t)a.offset;
	x->deref = a.deref;
	x->deref_offset = (int32_t)a.deref_offset;
	return true;
}

static bool extended_fp(const struct cfi_state *s, struct unwind_rule_ext *x)
{
	struct address a;
	uint8_t reg;

	switch (s->fp_kind) {
	case CFI_FP_SAME:
		return true;
	case CFI_FP_OFFSET:
		x->fp_saved = UNWIND_FP_AT_CFA;
		x->fp_offset = (int32_t)s->fp_offset;
		return fits_s32(s->fp_offset);
	case CFI_FP_EXPRESSION:
		if (!parse_address(s->fp_expression, &a) || a.deref ||
		    !followed_register(a.reg, &reg) || !fits_s32(a.offset))
			return false;
		x->fp_saved = reg == UNWIND_REG_FP ? UNWIND_FP_AT_FP
						   : UNWIND_FP_AT_SP;
		x->fp_offset = (int32_t)a.offset;
		return true;
	default:
		return false;
	}
}

/* ---- Packed rules
 * ------------------------------------------------------------ */

static bool pack_cfa(const struct cfi_state *s, uint32_t *rule)
{
	uint8_t reg;

	if (s->cfa_kind != CFI_CFA_REGISTER ||
	    !followed_register(s->cfa_register, &reg) || s->cfa_offset < 0 ||
	    s->cfa_offset & 7 || s->cfa_offset / 8 > UNWIND_OFFSET_MASK)
		return false;
	*rule = (reg == UNWIND_REG_SP ? UNWIND_CFA_SP : UNWIND_CFA_FP) |
		(uint32_t)(s->cfa_offset / 8) << UNWIND_OFFSET_SHIFT;
	return true;
}

static bool pack_fp(const struct cfi_state *s, uint32_t *rule)
{
	if (s->fp_kind == CFI_FP_SAME)
		return true;
	if (s->fp_kind != CFI_FP_OFFSET || s->fp_offset >= 0 ||
	    s->fp_offset < -255 * 8 || s->fp_offset & 7)
		return false;
	*rule |= UNWIND_FP_SAVED | (uint32_t)(-s->fp_offset / 8)
					   << UNWIND_FP_SHIFT;
	return true;
}

uint32_t rule_pack(struct rule_packer *p, const struct cfi_state *s,
		   bool is_signal_frame)
{
	struct unwind_rule_ext x = {0};
	uint32_t rule;

	if (s->ra_kind == CFI_RA_UNDEFINED)
		return UNWIND_ROOT;
	/* Signal trampolines read the CFA from the ucontext. Other code that
	 * the assembler was told to be a signal frame (so that its pc is not
	 * taken for a return address) is left like any function. */
	if (is_signal_frame && s->cfa_kind == CFI_CFA_EXPRESSION)
		return UNWIND_SIGNAL;
	if (s->ra_kind == CFI_RA_OTHER)
		return UNWIND_BAD;
	if (pack_cfa(s, &rule) && pack_fp(s, &rule))
		return rule;
	if (!extended_cfa(s, &x) || !extended_fp(s, &x))
		return UNWIND_BAD;
	return pool_rule(p, &x);
}
