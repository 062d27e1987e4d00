// SPDX-License-Identifier: GPL-2.0-only
/* Control flow of one function: see code_flow.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/code_flow.h"
#include "probe/insn.h"

static int steps_append(struct flow *f, const struct insn *i)
{
	if (!(f->count & (f->count - 1))) {
		size_t room = f->count ? f->count * 2 : 1;
		struct flow_step *steps =
			realloc(f->steps, room * sizeof(*steps));

		if (!steps)
			return -ENOMEM;
		f->steps = steps;
	}
	f->steps[f->count++] = (struct flow_step){
		.offset = (uint32_t)(i->address - f->address),
		.size = i->size,
		.flow = (uint8_t)i->flow,
		.target = i->target,
	};
	return 0;
}

static bool ends(enum insn_flow flow)
{
	return flow == INSN_RETURN || flow == INSN_TRAP || flow == INSN_JUMP ||
	       flow == INSN_JUMP_SLOT || flow == INSN_JUMP_COMPUTED;
}

/* How far branches inside the bound reach forward. A jmp that comes first is
 * the whole function; later ones may lead over something. */
static void reach_extend(uint64_t *reach, const struct insn *i,
			 const struct flow *f, size_t bound)
{
	if (i->flow != INSN_BRANCH && (i->flow != INSN_JUMP || f->count == 1))
		return;
	if (i->target > *reach && i->target < f->address + bound)
		*reach = i->target;
}

int flow_read(const uint8_t *code, size_t size, uint64_t address, bool exact,
	      struct flow *out)
{
	struct insn_reader r;
	struct insn i;
	uint64_t reach = address;
	int err;

	memset(out, 0, sizeof(*out));
	out->address = address;
	if (size > FLOW_FUNCTION_BYTES_MAX)
		size = FLOW_FUNCTION_BYTES_MAX;
	err = insn_reader_open(&r, code, size, address, false);
	if (err)
		return err;
	while (!err && insn_read(&r, &i)) {
		err = steps_append(out, &i);
		reach_extend(&reach, &i, out, size);
		if (!exact && ends(i.flow) && i.address + i.size > reach) {
			out->complete = true;
			break;
		}
	}
	out->size = (uint32_t)r.offset;
	out->complete |= size - r.offset < INSN_BYTES_MAX;
	insn_reader_close(&r);
	if (err)
		flow_free(out);
	return err;
}

void flow_free(struct flow *f)
{
	free(f->steps);
	memset(f, 0, sizeof(*f));
}

bool flow_is_jump(const struct flow_step *s)
{
	return s->flow == INSN_JUMP || s->flow == INSN_BRANCH ||
	       s->flow == INSN_JUMP_SLOT;
}

static bool inside(const struct flow *f, uint64_t address)
{
	return address >= f->address && address - f->address < f->size;
}

bool flow_leaves(const struct flow *f, const struct flow_step *s)
{
	switch (s->flow) {
	case INSN_CALL:
	case INSN_JUMP:
	case INSN_BRANCH:
		return !inside(f, s->target);
	case INSN_CALL_SLOT:
	case INSN_JUMP_SLOT:
		return true;
	default:
		return false;
	}
}

static int by_offset(const void *a, const void *b)
{
	const struct flow_step *x = a, *y = b;

	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Index of the step at an address, -1 when no instruction starts there. */
static ptrdiff_t step_at(const struct flow *f, uint64_t address)
{
	struct flow_step key = {.offset = (uint32_t)(address - f->address)};
	struct flow_step *s;

	if (!inside(f, address))
		return -1;
	s = bsearch(&key, f->steps, f->count, sizeof(key), by_offset);
	return s ? s - f->steps : -1;
}

/* The steps that may follow: their number, or -1 when control leaves to where
 * nothing is known. */
static int successors(const struct flow *f, size_t at, size_t next[2])
{
	const struct flow_step *s = &f->steps[at];
	int count = 0;

	if (s->flow == INSN_TRAP)
		return 0;
	if (s->flow == INSN_RETURN || s->flow == INSN_JUMP_COMPUTED ||
	    s->flow == INSN_JUMP_SLOT)
		return -1;
	if (s->flow != INSN_JUMP) {
		if (at + 1 >= f->count)
			return -1;
		next[count++] = at + 1;
	}
	if (s->flow == INSN_JUMP || s->flow == INSN_BRANCH) {
		ptrdiff_t to = step_at(f, s->target);

		if (to < 0)
			return -1;
		next[count++] = (size_t)to;
	}
	return count;
}

bool flow_always_enters(const struct flow *f,
			bool (*wanted)(const struct flow_step *s,
				       void *context),
			void *context)
{
	bool enters = false, escapes = !f->complete || !f->count;
	size_t *todo = malloc((f->count + 1) * sizeof(*todo));
	bool *seen = calloc(f->count + 1, 1);
	size_t waiting = 0;

	if (!todo || !seen)
		escapes = true;
	if (!escapes) {
		todo[waiting++] = 0;
		seen[0] = true;
	}
	while (waiting && !escapes) {
		size_t at = todo[--waiting], next[2];
		const struct flow_step *s = &f->steps[at];
		bool hit = flow_leaves(f, s) && wanted(s, context);
		int count;

		enters |= hit;
		if (hit && s->flow != INSN_BRANCH)
			continue;
		count = successors(f, at, next);
		if (hit) { /* a conditional tail call: the other way */
			next[0] = at + 1;
			count = at + 1 < f->count ? 1 : -1;
		}
		escapes = count < 0;
		for (int i = 0; i < count; i++) {
			if (!seen[next[i]])
				todo[waiting++] = next[i];
			seen[next[i]] = true;
		}
	}
	free(todo);
	free(seen);
	return enters && !escapes;
}
