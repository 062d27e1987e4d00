/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an instruction of a function's prologue does to the registers and the
 * stack depth. Only a list of well-known instructions is understood; anything
 * else is "not known", and the planner goes no further.
 */
#ifndef PROBE_INSN_EFFECT_H
#define PROBE_INSN_EFFECT_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stdint.h>

/* Bits of insn_effect.writes, by hardware register number. */
enum insn_register {
	INSN_RAX,
	INSN_RCX,
	INSN_RDX,
	INSN_RBX,
	INSN_RSP,
	INSN_RBP,
	INSN_RSI,
	INSN_RDI,
	INSN_R8,
	INSN_R9,
	INSN_R10,
	INSN_R11,
	INSN_R12,
	INSN_R13,
	INSN_R14,
	INSN_R15,
	INSN_REGISTERS
};

struct insn_effect {
	bool known;
	uint16_t writes; /* general registers but the stack pointer */
	bool copies;	 /* the written register now equals the copied one */
	uint16_t copied;
	int64_t pushed; /* bytes by which the stack pointer goes down */
};

/* `i` was decoded with detail. */
void insn_effect_of(const cs_insn *i, struct insn_effect *out);

#endif
