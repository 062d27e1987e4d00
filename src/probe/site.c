// SPDX-License-Identifier: GPL-2.0-only
/* The site planner: see site.h. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "probe/insn.h"
#include "probe/insn_effect.h"
#include "probe/site.h"

/* PROBE_COOKIE has 16 bits for the depth. */
#define DEPTH_MAX 0xffff

/* Places in the window; each is an instruction that may be probed. */
struct candidate {
	uint32_t offset;
	uint32_t depth;
	enum insn_cost cost;
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
	uint16_t keep; /* registers that must not have been written */
	bool at_entry_depth;
	int64_t depth;	   /* bytes pushed so far */
	bool only_markers; /* nothing but endbr64 and nops so far */
};

/* What the rest of the function says about its window. */
struct jumps {
	bool complete; /* every instruction decoded */
	bool computed; /* there are jumps with unknown targets */
	/* The lowest address after the entry that a branch goes to. */
	uint64_t lowest_target;
};

/* ---- The window -------------------------------------------------------------
 */

/*
 * The argument registers, then what the unwinder and the function's caller
 * need: %rbx, %rbp, %r12-%r15 belong to the caller (System V ABI, AMD64
 * supplement, 3.2.1).
 */
static uint16_t registers_to_keep(unsigned arguments)
{
	static const uint8_t order[] = {INSN_RDI, INSN_RSI, INSN_RDX,
					INSN_RCX, INSN_R8,  INSN_R9};
	uint16_t keep = 1u << INSN_RBX | 1u << INSN_RBP | 1u << INSN_R12 |
			1u << INSN_R13 | 1u << INSN_R14 | 1u << INSN_R15;

	for (unsigned i = 0; i < arguments && i < sizeof(order); i++)
		keep |= (uint16_t)(1u << order[i]);
	return keep;
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

static void window_note(struct window *w, const struct candidate *c,
			const struct insn *i, bool only_markers)
{
	if (c->cost == INSN_EMULATED && !w->emulated.cost)
		w->emulated = *c;
	/* Linux 6.18 to 7.1 turns a probed 5-byte nop into a call, which
	 * pushes into the red zone: only where that cannot be in use. */
	if (c->cost == INSN_EMULATED_6_16 && !w->nop.cost &&
	    (only_markers || !insn_is_nop5(i)))
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
	if (effect.writes & s->keep)
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
		window_note(w, &c, &i, s->only_markers);
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

/* ---- The whole function
 * ------------------------------------------------------- */

static void jumps_note(struct jumps *j, const struct insn *i, uint64_t entry)
{
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
		j->computed = true;
		break;
	default:
		break;
	}
}

static int jumps_collect(const uint8_t *code, size_t size, uint64_t address,
			 struct jumps *j)
{
	struct insn_reader r;
	struct insn i;
	int err = insn_reader_open(&r, code, size, address, false);

	if (err)
		return err;
	j->lowest_target = UINT64_MAX;
	while (insn_read(&r, &i))
		jumps_note(j, &i, address);
	/* What is left may be the start of an instruction cut off. */
	j->complete = size - r.offset < INSN_BYTES_MAX;
	insn_reader_close(&r);
	return 0;
}

/*
 * Whether control reaches the candidate only from the entry. A jump with an
 * unknown target may be a switch whose table leads to anywhere behind a
 * block's start, so it speaks against everything but the entry (the block
 * that starts there is entered from it).
 */
static bool only_from_entry(const struct candidate *c, const struct jumps *j,
			    uint64_t address)
{
	if (!c->offset)
		return true;
	return j->complete && !j->computed &&
	       j->lowest_target > address + c->offset;
}

/* ---- The choice
 * --------------------------------------------------------------- */

static void site_set(struct probe_site *out, const struct candidate *c,
		     const char *reason)
{
	memset(out, 0, sizeof(*out));
	out->offset = c->offset;
	out->stack_depth = c->depth;
	out->emulated = !reason;
	out->reason = reason;
	memcpy(out->instruction, c->text, sizeof(out->instruction));
}

static const char *why_not(const struct window *w, const struct jumps *j)
{
	if (!w->emulated.cost)
		return w->stopped;
	if (!j->complete)
		return "the function does not decode completely";
	return j->computed ? "jumps with unknown targets in the function"
			   : "a branch leads to between entry and the cheap "
			     "instruction";
}

int site_plan(const uint8_t *code, size_t size, uint64_t address,
	      unsigned argument_registers, bool at_entry_depth,
	      struct probe_site *out)
{
	struct search s = {
		.keep = registers_to_keep(argument_registers),
		.at_entry_depth = at_entry_depth,
		.only_markers = true,
	};
	struct window w = {0};
	struct jumps j = {0};
	int err;

	if (size > SITE_FUNCTION_BYTES_MAX)
		size = SITE_FUNCTION_BYTES_MAX;
	err = window_search(code, size, address, &s, &w);
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

/* ---- Tail calls
 * ---------------------------------------------------------------- */

static bool among(uint64_t address, const uint64_t *targets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (targets[i] == address)
			return true;
	return false;
}

bool site_tail_calls(const uint8_t *code, size_t size, uint64_t address,
		     const uint64_t *targets, size_t target_count,
		     uint64_t (*resolve)(uint64_t place, void *context),
		     void *context)
{
	struct insn_reader r;
	struct insn i;
	bool found = false;

	if (insn_reader_open(&r, code, size, address, false))
		return false;
	while (!found && insn_read(&r, &i)) {
		uint64_t to = i.target;

		if (i.flow != INSN_JUMP && i.flow != INSN_BRANCH &&
		    i.flow != INSN_JUMP_SLOT)
			continue;
		if (i.flow != INSN_JUMP_SLOT && to > address &&
		    to < address + size)
			continue;
		found = i.flow != INSN_JUMP_SLOT &&
			among(to, targets, target_count);
		if (!found && resolve) {
			to = resolve(to, context);
			found = to && among(to, targets, target_count);
		}
	}
	insn_reader_close(&r);
	return found;
}
