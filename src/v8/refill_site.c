/* SPDX-License-Identifier: GPL-2.0-only */
#include "v8/refill_site.h"

#include "probe/code_slots.h"
#include "probe/insn.h"

#define CODE_BYTES_MAX 2048
/* sizeof(PagedSpace) is below. */
#define LOCK_OFFSET_MAX 0x400

struct code {
	const struct object *object;
	const struct v8_symbols *symbols;
	struct code_slots slots; /* empty: PLT stubs are not followed */
};

struct search {
	const struct code *code;
	uint64_t function;
	int64_t lock_offset; /* of the last lea from `this`; 0: not seen */
	unsigned int locks, limits, updates;
	unsigned int unlocks; /* the last, after the limit */
	struct v8_refill_sites sites;
};

/* lea lock(this), register: before the first call, `this` is in rdi. */
static void look_for_lock(struct search *s, const cs_insn *i)
{
	const cs_x86 *x = &i->detail->x86;

	if (i->id == X86_INS_LEA && x->op_count == 2 &&
	    x->operands[1].type == X86_OP_MEM &&
	    x->operands[1].mem.base == X86_REG_RDI &&
	    x->operands[1].mem.index == X86_REG_INVALID)
		s->lock_offset = x->operands[1].mem.disp;
}

/* The function that is called, or 0: one of another object. */
static uint64_t callee(const struct code *c, uint64_t target)
{
	const struct code_slot *slot;

	if (!c->slots.count ||
	    !code_slots_stub(&c->slots, c->object, target, &slot))
		return target;
	return slot ? slot->address : 0;
}

static void look_at_call(struct search *s, const struct insn *i)
{
	const struct v8_symbols *symbols = s->code->symbols;
	uint32_t offset = (uint32_t)(i->address - s->function);
	uint64_t to = callee(s->code, i->target);

	if (!to)
		return;
	if (to == symbols->helpers[V8_MUTEX_LOCK].address) {
		s->sites.lock = offset;
		s->locks++;
		if (s->lock_offset > 0 && s->lock_offset < LOCK_OFFSET_MAX)
			s->sites.lock_offset = (uint16_t)s->lock_offset;
	} else if (to == symbols->points[V8_POINT_ALLOCATE].address) {
		s->sites.limit = offset;
		s->limits++;
	} else if (to == symbols->helpers[V8_UPDATE_LIMIT].address) {
		s->updates++;
	} else if (s->limits &&
		   to == symbols->helpers[V8_MUTEX_UNLOCK].address) {
		/* The one before is where nothing was found. */
		s->sites.unlock = offset;
		s->unlocks++;
	}
}

/* Whether all of the function was looked at. */
static bool search(const struct code *c, const struct v8_symbol *function,
		   struct search *s)
{
	uint64_t offset, size = function->size;
	uint8_t code[CODE_BYTES_MAX];
	struct insn_reader reader;
	struct insn insn;
	bool whole;

	*s = (struct search){.code = c, .function = function->address};
	if (!function->address || !size || size > sizeof(code) ||
	    !object_address_to_offset(c->object, function->address, &offset) ||
	    object_read(c->object, offset, code, size) ||
	    insn_reader_open(&reader, code, size, function->address, true))
		return false;
	while (insn_read(&reader, &insn)) {
		if (insn.flow == INSN_CALL)
			look_at_call(s, &insn);
		else if (reader.detail->detail && !s->locks)
			look_for_lock(s, reader.detail);
	}
	whole = insn_reader_at_end(&reader);
	insn_reader_close(&reader);
	return whole;
}

static bool find_new_limit(const struct code *c, struct v8_refill_sites *out)
{
	const struct v8_symbols *symbols = c->symbols;
	const struct v8_symbol *f = &symbols->points[V8_POINT_NEW_AREA];
	struct search s;

	if (!search(c, f, &s))
		return false;
	if (!s.limits && s.updates == 1) {
		f = &symbols->helpers[V8_UPDATE_LIMIT];
		if (!search(c, f, &s))
			return false;
	}
	out->limit = s.sites.limit;
	out->limit_function = *f;
	return s.limits == 1;
}

static bool find_sites(const struct code *c, struct v8_refill_sites *out)
{
	struct search s;

	if (!search(c, &c->symbols->points[V8_POINT_REFILL_LOCK], &s))
		return false;
	*out = s.sites;
	return s.locks == 1 && s.limits == 1 && s.unlocks == 1 &&
	       out->lock_offset && find_new_limit(c, out);
}

bool v8_refill_sites_find(const struct object *o, const struct v8_symbols *s,
			  struct v8_refill_sites *out)
{
	struct code c = {.object = o, .symbols = s};
	bool found;

	if (!s->points[V8_POINT_ALLOCATE].address ||
	    !s->points[V8_POINT_REFILL_LOCK].address ||
	    !s->helpers[V8_MUTEX_LOCK].address ||
	    !s->helpers[V8_MUTEX_UNLOCK].address)
		return false;
	found = find_sites(&c, out);
	/* Programs need no PLT for their own: most need not read it. */
	if (!found && !code_slots_read(o, &c.slots)) {
		found = find_sites(&c, out);
		code_slots_free(&c.slots);
	}
	return found;
}
