// SPDX-License-Identifier: GPL-2.0-only
/* The site planner: see site.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "leakbpf/abi_user.h"
#include "probe/insn.h"
#include "probe/insn_effect.h"
#include "probe/site.h"

#define ARGUMENTS_MAX 6
/* PROBE_COOKIE has 16 bits for the depth. */
#define DEPTH_MAX 0xffff

/* Places in the window; each is an instruction that may be probed. */
struct candidate {
	uint32_t offset;
	uint32_t depth;
	enum insn_cost cost;
	bool shifted;
	char text[64];
};

struct window {
	struct candidate entry;	   /* the first instruction */
	struct candidate emulated; /* cost INSN_EMULATED, when found */
	struct candidate nop;	   /* cost INSN_EMULATED_6_16, when found */
	struct candidate stepped;  /* first that a probe can be set on */
	const char *stopped;	   /* why the search went no further */
};

struct search {
	unsigned arguments;
	/* Registers that hold the entry's value of each argument. */
	uint16_t holders[ARGUMENTS_MAX];
	bool may_shift; /* arguments may stand one register later */
	bool at_entry_depth;
	int64_t depth;	   /* bytes pushed so far */
	bool only_markers; /* nothing but endbr64 and nops so far */
};

/* What the rest of the function says about its window. */
struct jumps {
	bool complete; /* every instruction decoded */
	bool computed; /* a jump leads anywhere in the function */
	/* The lowest address after the entry that a branch goes to. */
	uint64_t lowest_target;
	bool block_reads_table; /* the block being read, so far */
};

/* ---- The window ---- */

/* In the order of System V ABI, AMD64 supplement, 3.2.3. */
static const uint8_t argument_order[ARGUMENTS_MAX] = {
	INSN_RDI, INSN_RSI, INSN_RDX, INSN_RCX, INSN_R8, INSN_R9};

/* %rbx, %rbp, %r12-%r15 belong to the caller (3.2.1); the unwinder and the
 * caller's code need them. */
#define CALLERS_REGISTERS                                                      \
	(1u << INSN_RBX | 1u << INSN_RBP | 1u << INSN_R12 | 1u << INSN_R13 |   \
	 1u << INSN_R14 | 1u << INSN_R15)

static void search_start(struct search *s, unsigned arguments, bool may_shift,
			 bool at_entry_depth)
{
	memset(s, 0, sizeof(*s));
	s->arguments = arguments < ARGUMENTS_MAX ? arguments : ARGUMENTS_MAX;
	for (unsigned i = 0; i < s->arguments; i++)
		s->holders[i] = (uint16_t)(1u << argument_order[i]);
	s->may_shift = may_shift && s->arguments < ARGUMENTS_MAX;
	s->at_entry_depth = at_entry_depth;
	s->only_markers = true;
}

/* Whether argument i is in the place of argument i + shift, for every i. */
static bool arguments_in_place(const struct search *s, unsigned shift)
{
	for (unsigned i = 0; i < s->arguments; i++)
		if (!(s->holders[i] & 1u << argument_order[i + shift]))
			return false;
	return true;
}

static bool arguments_lost(const struct search *s)
{
	for (unsigned i = 0; i < s->arguments; i++)
		if (!s->holders[i])
			return true;
	return !s->may_shift && !arguments_in_place(s, 0);
}

static void arguments_step(struct search *s, const struct insn_effect *e)
{
	for (unsigned i = 0; i < s->arguments; i++) {
		bool copied = e->copies && s->holders[i] & e->copied;

		s->holders[i] &= (uint16_t)~e->writes;
		if (copied)
			s->holders[i] |= e->writes;
	}
}

static struct candidate candidate_of(const struct insn_reader *r,
				     const struct insn *i, int64_t depth)
{
	struct candidate c = {
		.offset = (uint32_t)(i->address - r->address),
		.depth = (uint32_t)depth,
		.cost = insn_probe_cost(i),
	};

	snprintf(c.text, sizeof(c.text), "%.12s%s%.48s", r->detail->mnemonic,
		 *r->detail->op_str ? " " : "", r->detail->op_str);
	return c;
}

static void window_note(struct window *w, struct candidate *c,
			const struct insn *i, const struct search *s)
{
	c->shifted = !arguments_in_place(s, 0);
	if (c->shifted && !(s->may_shift && arguments_in_place(s, 1)))
		return;
	if (c->cost == INSN_EMULATED && !w->emulated.cost)
		w->emulated = *c;
	/* Linux 6.18 to 7.1 turns a probed 5-byte nop into a call, which
	 * pushes into the red zone: only where that cannot be in use. */
	if (c->cost == INSN_EMULATED_6_16 && !w->nop.cost &&
	    (s->only_markers || !insn_is_nop5(i)))
		w->nop = *c;
	if (c->cost != INSN_REFUSED && !w->stepped.cost)
		w->stepped = *c;
}

/* Goes past one instruction; NULL, or why it cannot. */
static const char *step_over(struct search *s, const cs_insn *detail,
			     const struct insn *i)
{
	struct insn_effect effect;

	if (i->flow != INSN_NEXT)
		return "control leaves the straight line before a cheap "
		       "instruction";
	insn_effect_of(detail, &effect);
	if (!effect.known)
		return "an instruction with unknown effects comes first";
	arguments_step(s, &effect);
	if (effect.writes & CALLERS_REGISTERS || arguments_lost(s))
		return "arguments or saved registers change before a cheap "
		       "instruction";
	s->depth += effect.pushed;
	if (s->depth < 0 || s->depth > DEPTH_MAX)
		return "stack depth unknown";
	if (s->at_entry_depth && s->depth)
		return "the stack pointer moves before a cheap instruction";
	if (!insn_is_endbr64(i) && insn_probe_cost(i) != INSN_EMULATED_6_16)
		s->only_markers = false;
	return NULL;
}

static int window_search(const uint8_t *code, size_t size, uint64_t address,
			 struct search *s, struct window *w)
{
	struct insn_reader r;
	struct insn i;
	int err = insn_reader_open(&r, code, size, address, true);

	if (err)
		return err;
	w->stopped = "no cheap instruction near the entry";
	while (r.offset < SITE_WINDOW_BYTES && insn_read(&r, &i)) {
		struct candidate c = candidate_of(&r, &i, s->depth);
		const char *stopped;

		if (i.address == address)
			w->entry = c;
		window_note(w, &c, &i, s);
		if (w->emulated.cost)
			break;
		stopped = step_over(s, r.detail, &i);
		if (stopped) {
			w->stopped = stopped;
			break;
		}
	}
	insn_reader_close(&r);
	return *w->entry.text ? 0 : -EINVAL;
}

/* ---- The whole function ---- */

/*
 * A jump to a computed place is a switch (or computed goto) when its block
 * reads a table: a load with an index, a sign-extended offset, an addition to
 * the table's base. Else it is a call in tail position, through a hook or a
 * virtual table, and leaves the function. gcc and clang keep the table's load
 * and the jump in one block.
 */
static bool reads_table(const cs_insn *detail)
{
	const cs_x86 *x = &detail->detail->x86;
	bool adds = detail->id == X86_INS_ADD && x->op_count == 2 &&
		    x->operands[0].type == X86_OP_REG &&
		    x->operands[1].type != X86_OP_IMM;

	if (adds || detail->id == X86_INS_MOVSXD)
		return true;
	for (unsigned i = 0; i < x->op_count; i++)
		if (x->operands[i].type == X86_OP_MEM &&
		    x->operands[i].mem.index != X86_REG_INVALID)
			return true;
	return false;
}

/* "notrack", a ds prefix, exempts switches from indirect branch tracking. */
static bool is_notrack(const struct insn *i)
{
	return i->bytes[0] == 0x3e;
}

static void jumps_note(struct jumps *j, const struct insn *i,
		       const cs_insn *detail, uint64_t entry)
{
	bool table = reads_table(detail);

	switch (i->flow) {
	case INSN_BRANCH:
	case INSN_JUMP:
	case INSN_CALL:
		/* To the entry itself is a call by other means: a probe
		 * anywhere in the window sees it. */
		if (i->target > entry && i->target < j->lowest_target)
			j->lowest_target = i->target;
		break;
	case INSN_JUMP_COMPUTED:
		j->computed |= table || j->block_reads_table || is_notrack(i);
		break;
	default:
		break;
	}
	j->block_reads_table =
		i->flow == INSN_NEXT && (table || j->block_reads_table);
}

static int jumps_collect(const uint8_t *code, size_t size, uint64_t address,
			 struct jumps *j)
{
	struct insn_reader r;
	struct insn i;
	int err = insn_reader_open(&r, code, size, address, true);

	if (err)
		return err;
	j->lowest_target = UINT64_MAX;
	while (insn_read(&r, &i))
		jumps_note(j, &i, r.detail, address);
	/* What is left may be the start of an instruction cut off. */
	j->complete = size - r.offset < INSN_BYTES_MAX;
	insn_reader_close(&r);
	return 0;
}

/*
 * Whether control reaches the candidate only from the entry. A switch may
 * lead to the start of any block, so it speaks against everything but the
 * entry itself.
 */
static bool only_from_entry(const struct candidate *c, const struct jumps *j,
			    uint64_t address)
{
	if (!c->offset)
		return true;
	return j->complete && !j->computed &&
	       j->lowest_target > address + c->offset;
}

/* ---- The choice ---- */

static void site_set(struct probe_site *out, const struct candidate *c,
		     const char *reason)
{
	memset(out, 0, sizeof(*out));
	out->offset = c->offset;
	out->stack_depth = c->depth;
	out->emulated = !reason;
	out->reason = reason;
	out->kind = c->shifted; /* site_plan makes it a kind */
	memcpy(out->instruction, c->text, sizeof(out->instruction));
}

static const char *why_not(const struct window *w, const struct jumps *j)
{
	if (!w->emulated.cost)
		return w->stopped;
	if (!j->complete)
		return "the function does not decode completely";
	return j->computed ? "a switch in the function may lead to before it"
			   : "a branch leads to between entry and the cheap "
			     "instruction";
}

static int plan(const uint8_t *code, size_t size, uint64_t address,
		struct search *s, struct probe_site *out)
{
	struct window w = {0};
	struct jumps j = {0};
	int err;

	if (size > SITE_FUNCTION_BYTES_MAX)
		size = SITE_FUNCTION_BYTES_MAX;
	err = window_search(code, size, address, s, &w);
	if (!err)
		err = jumps_collect(code, size, address, &j);
	if (err)
		return err;
	if (w.emulated.cost && only_from_entry(&w.emulated, &j, address))
		site_set(out, &w.emulated, NULL);
	else if (w.nop.cost && only_from_entry(&w.nop, &j, address))
		site_set(out, &w.nop, "nop, stepped before Linux 6.16");
	else if (w.entry.cost == INSN_REFUSED && w.stepped.cost &&
		 only_from_entry(&w.stepped, &j, address))
		site_set(out, &w.stepped,
			 "the kernel refuses the first instruction");
	else
		site_set(out, &w.entry, why_not(&w, &j));
	return 0;
}

/* ---- Kinds ---- */

/* What bpf/ reads of each kind's arguments, and the kind that reads the same
 * ones from the next registers. */
static const struct {
	uint32_t kind;
	unsigned arguments;
	bool returns; /* return-probed */
	uint32_t shifted;
} kinds[] = {
	{ALLOC_SIZE, 1, true, ALLOC_ALIGN_SIZE},
	{ALLOC_COUNT_SIZE, 2, true, ALLOC_HEAP_COUNT_SIZE},
	{ALLOC_ALIGN_SIZE, 2, true, 0},
	{ALLOC_OUT_ALIGN_SIZE, 3, true, 0},
	{ALLOC_REALLOC, 2, true, ALLOC_HEAP_REALLOC},
	{ALLOC_REALLOC_COUNT, 3, true, 0},
	{ALLOC_HEAP_COUNT_SIZE, 3, true, 0},
	{ALLOC_HEAP_REALLOC, 3, true, 0},
	{FREE_POINTER, 1, false, 0},
	{MAP_MMAP, 2, true, 0},
	{MAP_MUNMAP, 2, true, 0},
	{MAP_MREMAP, 3, true, 0},
	{LOADER_STATE, 0, false, 0},
	{V8_ALLOCATE, 4, false, 0},
	{V8_ACCOUNT, 1, false, 0},
	{V8_REFILL_LOCK, 1, false, 0},
	{V8_REFILLED, 1, false, 0},
	{V8_RESET_LAB, 3, false, 0},
	{V8_LARGE_PAGE, 3, false, 0},
	{V8_SCAVENGED, 1, false, 0},
	{V8_MARKED, 1, false, 0},
	{V8_EVACUATED, 1, false, 0},
	{V8_GC_BEGIN, 1, false, 0},
	{V8_GC_END, 2, false, 0},
	{V8_SIZE_OF_OBJECTS, 1, true, 0},
	{V8_TEAR_DOWN, 1, false, 0},
};

int site_plan(const uint8_t *code, size_t size, uint64_t address, uint32_t kind,
	      struct probe_site *out)
{
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct search s;
		int err;

		if (kinds[i].kind != kind)
			continue;
		search_start(&s, kinds[i].arguments, kinds[i].shifted != 0,
			     kinds[i].returns);
		err = plan(code, size, address, &s, out);
		if (!err)
			out->kind = out->kind ? kinds[i].shifted : kind;
		return err;
	}
	return -EINVAL;
}
