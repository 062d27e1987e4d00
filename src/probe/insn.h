/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * x86-64 instructions as the site planner and the call graph need them: how
 * long, where control goes next, and what the kernel does with one under a
 * uprobe. Lengths come from capstone, the rest from the bytes themselves, in
 * the same terms as the kernel's arch/x86/kernel/uprobes.c.
 */
#ifndef PROBE_INSN_H
#define PROBE_INSN_H

#include <capstone/capstone.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSN_BYTES_MAX 15

enum insn_flow {
	INSN_NEXT,	    /* falls through */
	INSN_CALL,	    /* call target */
	INSN_CALL_SLOT,	    /* call *slot(%rip) */
	INSN_CALL_COMPUTED, /* any other call */
	INSN_BRANCH,	    /* jcc, loop, jrcxz target */
	INSN_JUMP,	    /* jmp target */
	INSN_JUMP_SLOT,	    /* jmp *slot(%rip) */
	INSN_JUMP_COMPUTED, /* any other jmp */
	INSN_RETURN,
	INSN_TRAP, /* ud2, int3, hlt: control does not go on */
};

enum insn_cost {
	INSN_REFUSED,	    /* the kernel puts no uprobe here */
	INSN_STEPPED,	    /* single-stepped out of line */
	INSN_EMULATED_6_16, /* multi-byte nop: emulated from Linux 6.16 on */
	INSN_EMULATED,	    /* on every kernel */
};

struct insn {
	uint64_t address;
	uint64_t target; /* of a direct branch, or the slot's address */
	const uint8_t *bytes;
	uint8_t size;
	enum insn_flow flow;
};

struct insn_reader {
	csh capstone;
	cs_insn *detail; /* the last instruction, as capstone sees it */
	const uint8_t *code;
	size_t size;
	uint64_t address;
	size_t offset; /* of the next instruction */
};

/* Reads `code`, which starts at link-time `address`. `with_detail`: operands
 * in reader.detail as well. 0 or -ENOMEM; end with insn_reader_close. */
int insn_reader_open(struct insn_reader *r, const uint8_t *code, size_t size,
		     uint64_t address, bool with_detail);
void insn_reader_close(struct insn_reader *r);

/* The next instruction; false at the end and where nothing decodes. */
bool insn_read(struct insn_reader *r, struct insn *out);
static inline bool insn_reader_at_end(const struct insn_reader *r)
{
	return r->offset >= r->size;
}

enum insn_cost insn_probe_cost(const struct insn *i);
bool insn_is_endbr64(const struct insn *i);
bool insn_is_nop5(const struct insn *i);

/*
 * The slot of a PLT stub: [endbr64] [bnd] jmp *slot(%rip). False when the
 * bytes are something else.
 */
bool insn_plt_slot(const uint8_t *code, size_t size, uint64_t address,
		   uint64_t *slot);

#endif
